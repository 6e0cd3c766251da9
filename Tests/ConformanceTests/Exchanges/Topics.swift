import BrokerCore
import MQTTModel

/// Which topics match which filters (section 4.7).
extension Exchange {
    private static let matches: [(filter: String, topics: [String], others: [String])] = [
        ("sport/#", ["sport", "sport/", "sport/a", "sport/a/b"], ["sports", "a/sport", "/sport"]),
        ("#", ["a", "/", "/a", "a/b//c"], ["$foo", "$foo/a"]),
        ("sport/+", ["sport/", "sport/a"], ["sport", "sport/a/b", "sport//"]),
        ("+", ["a", " "], ["/a", "a/", "$foo"]),
        ("/+", ["/a", "/"], ["a", "/a/b", "//"]),
        ("+/+", ["/a", "a/b", "/"], ["a", "$foo/a", "a/b/c"]),
        ("+/b/#", ["a/b", "a/b/c", "/b"], ["a/c/b", "$foo/b"]),
        ("a//b", ["a//b"], ["a/b", "a/x/b"]),
        ("$foo/#", ["$foo", "$foo/a"], ["foo", "a/$foo"]),
        ("$foo/+", ["$foo/a"], ["$foo", "$bar/a"]),
        ("a/$b", ["a/$b"], ["a/b"]),
    ]

    @ExchangeList static var topics: [Exchange] {
        for (filter, topics, others) in matches {
            Exchange(
                "\(filter) matches \(topics.joined(separator: ", ")), and not \(others.joined(separator: ", "))",
                v3: ["4.7.1-2", "4.7.1-3", "4.7.2-1", "3.3.2-3"], v5: ["4.7.1-1", "4.7.1-2", "4.7.2-1", "3.3.2-3"],
                traps: [43, 44]
            ) {
                a.connects()
                b.connects()
                a.subscribes(Text(filter))
                for topic in others { b.sends(.publish(Text(topic), "other")) }
                for topic in topics { b.sends(.publish(Text(topic), "x")) }
                for topic in topics { a.gets(.publish(Text(topic), "x")) }
                a.getsNothing()
            }
            Exchange(
                "\(filter) finds the retained messages of the same topics", v3: ["3.3.1-6", "4.7.2-1"],
                v5: ["3.3.1-9", "4.7.2-1"], traps: [43, 44]
            ) {
                b.connects()
                for topic in others { b.publishes(Text(topic), "other", retain: true) }
                for topic in topics { b.publishes(Text(topic), "x", retain: true) }
                a.connects()
                a.subscribes(Text(filter))
                a.getsInAnyOrder(of: topics.map { .publish(Text($0), "x", retain: true) })
                a.getsNothing()
            }
        }
        Exchange(
            "$SYS is not matched by a wildcard at the start, and is by $SYS/#", v3: ["4.7.2-1"], v5: ["4.7.2-1"],
            traps: [43], options: { $0.statusInterval = .seconds(10) }
        ) {
            b.connects()
            b.subscribes("#")
            b.subscribes("+/broker/#")
            b.getsNothing()
            a.connects()
            a.subscribes("$SYS/broker/version")
            a.gets(.publish("$SYS/broker/version", "Dunlin", retain: true))
        }
    }
}
