import Foundation
import GRDBSQLite
import Synchronization

/// SQLite's file system, with files below watched directories going through their `PowerCutDisk`. It is SQLite's default
/// while the tests run; every other file goes straight to the system's.
enum FaultyFileSystem {
    private struct Reference: @unchecked Sendable { weak var disk: PowerCutDisk? }

    private static let disks = Mutex<[String: Reference]>([:])

    static func watch(_ disk: PowerCutDisk) {
        _ = installed
        disks.withLock { $0[disk.directory] = Reference(disk: disk) }
    }

    static func forget(_ directory: String) { _ = disks.withLock { $0.removeValue(forKey: directory) } }

    private static func disk(of path: String) -> PowerCutDisk? {
        disks.withLock { disks in disks.first { path.hasPrefix($0.key + "/") }?.value.disk }
    }

    // MARK: The file system

    private struct Pointers: @unchecked Sendable {
        let system: UnsafeMutablePointer<sqlite3_vfs>
        let methods: UnsafeMutablePointer<sqlite3_io_methods>
    }

    private static let installed: Pointers = {
        guard let system = sqlite3_vfs_find(nil) else { fatalError("SQLite has a file system") }
        let faulty = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        faulty.initialize(to: system.pointee)
        faulty.pointee.zName = UnsafePointer(strdup("faulty"))
        faulty.pointee.pNext = nil
        faulty.pointee.szOsFile = Int32(headSize) + system.pointee.szOsFile
        faulty.pointee.xOpen = { _, name, file, flags, outFlags in
            FaultyFileSystem.open(name, file, flags, outFlags)
        }
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: makeMethods())
        sqlite3_vfs_register(faulty, 1)
        return Pointers(system: system, methods: methods)
    }()

    /// What lies before the system's own file.
    private struct Head {
        var file: sqlite3_file
        var watched: Unmanaged<Watched>?
    }

    private final class Watched {
        let disk: PowerCutDisk
        let path: String
        private let descriptor: Int

        init(_ disk: PowerCutDisk, _ path: String) {
            self.disk = disk
            self.path = path
            descriptor = disk.opened(path)
        }

        deinit { disk.closed(path, descriptor: descriptor) }

        func sync() -> Int32 { disk.sync(path, descriptor: descriptor) ?? SQLITE_OK }
    }

    private static var headSize: Int { (MemoryLayout<Head>.size + 15) / 16 * 16 }

    private static func open(
        _ name: UnsafePointer<CChar>?, _ file: UnsafeMutablePointer<sqlite3_file>?, _ flags: Int32,
        _ outFlags: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        let system = installed.system
        guard let open = system.pointee.xOpen, let file else { return SQLITE_CANTOPEN }
        guard let name, let disk = disk(of: String(cString: name)) else {
            return open(system, name, file, flags, outFlags)
        }
        let path = String(cString: name)
        let code = open(system, name, real(file), flags, outFlags)
        guard code == SQLITE_OK else { return code }
        head(file).pointee.watched = .passRetained(Watched(disk, path))
        file.pointee.pMethods = UnsafePointer(installed.methods)
        return SQLITE_OK
    }

    private static func head(_ file: UnsafeMutablePointer<sqlite3_file>) -> UnsafeMutablePointer<Head> {
        UnsafeMutableRawPointer(file).assumingMemoryBound(to: Head.self)
    }

    private static func real(_ file: UnsafeMutablePointer<sqlite3_file>) -> UnsafeMutablePointer<sqlite3_file> {
        (UnsafeMutableRawPointer(file) + headSize).assumingMemoryBound(to: sqlite3_file.self)
    }

    private static func methods(_ file: UnsafeMutablePointer<sqlite3_file>?) -> (
        UnsafeMutablePointer<sqlite3_file>, sqlite3_io_methods, Watched
    ) {
        guard let file, let watched = head(file).pointee.watched, let methods = real(file).pointee.pMethods else {
            fatalError("an open file")
        }
        return (real(file), methods.pointee, watched.takeUnretainedValue())
    }

    private static func makeMethods() -> sqlite3_io_methods {
        var all = sqlite3_io_methods()
        // Version 3 would map the file into memory, past this layer.
        all.iVersion = 2
        all.xClose = { file in
            let (real, methods, _) = FaultyFileSystem.methods(file)
            if let file { FaultyFileSystem.head(file).pointee.watched?.release() }
            return methods.xClose(real)
        }
        all.xRead = { file, buffer, count, offset in
            let (real, methods, _) = FaultyFileSystem.methods(file)
            return methods.xRead(real, buffer, count, offset)
        }
        all.xWrite = { file, buffer, count, offset in
            let (real, methods, watched) = FaultyFileSystem.methods(file)
            if let code = watched.disk.writeFault() { return code }
            let code = methods.xWrite(real, buffer, count, offset)
            if code == SQLITE_OK {
                watched.disk.written(
                    watched.path, offset: Int(offset), bytes: UnsafeRawBufferPointer(start: buffer, count: Int(count)))
            }
            return code
        }
        all.xTruncate = { file, size in
            let (real, methods, watched) = FaultyFileSystem.methods(file)
            watched.disk.truncated(watched.path, to: Int(size))
            return methods.xTruncate(real, size)
        }
        all.xSync = { file, _ in
            let (_, _, watched) = FaultyFileSystem.methods(file)
            return watched.sync()
        }
        addPassedThrough(to: &all)
        return all
    }

    private static func addPassedThrough(to all: inout sqlite3_io_methods) {
        all.xFileSize = { file, size in
            let (real, methods, _) = FaultyFileSystem.methods(file)
            return methods.xFileSize(real, size)
        }
        all.xLock = { file, level in
            let (real, methods, _) = FaultyFileSystem.methods(file)
            return methods.xLock(real, level)
        }
        all.xUnlock = { file, level in
            let (real, methods, _) = FaultyFileSystem.methods(file)
            return methods.xUnlock(real, level)
        }
        all.xCheckReservedLock = { file, result in
            let (real, methods, _) = FaultyFileSystem.methods(file)
            return methods.xCheckReservedLock(real, result)
        }
        all.xFileControl = { file, operation, argument in
            let (real, methods, _) = FaultyFileSystem.methods(file)
            return methods.xFileControl(real, operation, argument)
        }
        all.xSectorSize = { file in
            let (real, methods, _) = FaultyFileSystem.methods(file)
            return methods.xSectorSize(real)
        }
        all.xDeviceCharacteristics = { file in
            let (real, methods, _) = FaultyFileSystem.methods(file)
            return methods.xDeviceCharacteristics(real)
        }
        all.xShmMap = { file, region, size, extends, result in
            let (real, methods, _) = FaultyFileSystem.methods(file)
            return methods.xShmMap(real, region, size, extends, result)
        }
        all.xShmLock = { file, offset, count, flags in
            let (real, methods, _) = FaultyFileSystem.methods(file)
            return methods.xShmLock(real, offset, count, flags)
        }
        all.xShmBarrier = { file in
            let (real, methods, _) = FaultyFileSystem.methods(file)
            methods.xShmBarrier(real)
        }
        all.xShmUnmap = { file, deletes in
            let (real, methods, _) = FaultyFileSystem.methods(file)
            return methods.xShmUnmap(real, deletes)
        }
    }
}
