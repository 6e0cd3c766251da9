/// Texts in JSON.
enum JSONText {
    /// A string as JSON writes it.
    ///
    /// - Parameter isForTerminals: C1 controls are written as numbers, too: a terminal takes them for orders.
    static func quoted(_ text: String, isForTerminals: Bool = false) -> String {
        let controls = isForTerminals ? UInt32(0x7F)...0x9F : 0x7F...0x7F
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || controls.contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
