import MQTTModel

/// Strings (3.1.1 section 1.5.3, 5.0 sections 1.5.4 and 1.5.7).
extension Exchange {
    private static let illFormed: [(String, Text)] = [
        ("a surrogate", .hex("ED A0 80")),
        ("a pair of surrogates", .hex("ED A0 81 ED B0 80")),
        ("an overlong slash", .hex("C0 AF")),
        ("an overlong slash of three bytes", .hex("E0 80 AF")),
        ("a code point above U+10FFFF", .hex("F4 90 80 80")),
        ("a cut sequence", .hex("61 E2 82")),
        ("a continuation byte alone", .hex("61 80")),
        ("the byte FF", .hex("FF")),
    ]
    private static let nul = Text.hex("61 00 62")

    @ExchangeList static var strings: [Exchange] {
        for (what, text) in illFormed {
            Exchange(
                "a topic name with \(what) is malformed", v3: ["1.5.3-1", "3.3.2-1"], v5: ["1.5.4-1", "3.3.2-1"],
                traps: [23]
            ) {
                a.connects()
                a.sends(.publish(text, "x"))
                a.isRefused(0x81)
            }
            Exchange(
                "a topic filter with \(what) is malformed", v3: ["1.5.3-1", "3.8.3-1"], v5: ["1.5.4-1", "3.8.3-1"],
                traps: [23]
            ) {
                a.connects()
                a.sends(.subscribe(.filter(text)))
                a.isRefused(0x81)
            }
            Exchange(
                "a client identifier with \(what) is malformed", v3: ["1.5.3-1", "3.1.3-4"],
                v5: ["1.5.4-1", "3.1.3-4"], traps: [23]
            ) {
                a.requests(id: text)
                a.isRejected(0x81, 0x85)
            }
        }
        Exchange("an UNSUBSCRIBE with an ill-formed filter is malformed", v3: ["3.10.3-1"], v5: ["3.10.3-1"]) {
            a.connects()
            a.sends(.unsubscribe("x", .hex("ED A0 80")))
            a.isRefused(0x81)
        }
        Exchange("a will topic that is no UTF-8 is malformed", v3: ["3.1.3-10"], v5: ["3.1.3-11"]) {
            a.requests(will: .will(.hex("ED A0 80"), "x"))
            a.isRejected(0x81)
        }
        Exchange("a user name that is no UTF-8 is malformed", v3: ["3.1.3-11"], v5: ["3.1.3-12"]) {
            a.requests(user: .hex("C0 AF"), password: "x")
            a.isRejected(0x81)
        }
        nullCharacter
        byteOrderMark
        stringProperties
    }

    @ExchangeList private static var nullCharacter: [Exchange] {
        Exchange(
            "U+0000 in a topic name is malformed", v3: ["1.5.3-2", "4.7.3-2"], v5: ["1.5.4-2", "4.7.3-2"], traps: [23]
        ) {
            a.connects()
            a.sends(.publish(nul, "x"))
            a.isRefused(0x81, 0x90)
        }
        Exchange("U+0000 in a topic filter is malformed", v3: ["1.5.3-2", "4.7.3-2"], v5: ["1.5.4-2", "4.7.3-2"]) {
            a.connects()
            a.sends(.subscribe(.filter(nul)))
            a.isRefused(0x81)
        }
        Exchange("U+0000 in a client identifier is malformed", v3: ["1.5.3-2"], v5: ["1.5.4-2"]) {
            a.requests(id: nul)
            a.isRejected(0x81, 0x85)
        }
        Exchange("U+0000 is allowed in a payload and in a password", v3: ["1.5.3-2"], v5: ["1.5.4-2"]) {
            a.connects(user: "u", password: nul)
            a.subscribes("t")
            a.sends(.publish("t", nul))
            a.gets(.publish("t", nul))
        }
    }

    @ExchangeList private static var byteOrderMark: [Exchange] {
        Exchange(
            "the bytes EF BB BF stay part of a topic, at its start and inside", v3: ["1.5.3-3"], v5: ["1.5.4-3"],
            traps: [23]
        ) {
            a.connects()
            a.subscribes("#")
            b.connects()
            b.subscribes("x")
            b.subscribes("xy")
            a.sends(.publish("\u{FEFF}x", "1"), .publish("x\u{FEFF}y", "2"))
            a.gets(.publish("\u{FEFF}x", "1"), .publish("x\u{FEFF}y", "2"))
            b.getsNothing()
        }
        Exchange("topics are not normalised when they are matched", v3: ["4.7.3-4"], v5: ["4.7.3-4"]) {
            a.connects()
            // The same letter to the eye: composed, decomposed, and the Angstrom sign.
            a.subscribes("\u{C5}")
            a.sends(.publish("A\u{30A}", "decomposed"), .publish("\u{212B}", "sign"), .publish("\u{E5}", "small"))
            a.sends(.publish("\u{C5}", "same"))
            a.gets(.publish("\u{C5}", "same"))
            a.getsNothing()
        }
        Exchange(
            "filters are not normalised when they are compared", v3: ["4.7.3-4", "3.10.4-1"],
            v5: ["4.7.3-4", "3.10.4-1"]
        ) {
            a.connects(kept: true)
            a.subscribes("\u{C5}")
            a.sends(.unsubscribe("A\u{30A}", id: 2))
            a.gets(.unsubAck(2, [0x11]))
            a.subscribes("A\u{30A}")
            a.unsubscribes("A\u{30A}")
            a.sends(.publish("\u{C5}", "1"))
            a.gets(.publish("\u{C5}", "1"))
            a.subscribes("A\u{30A}")
            // The end of the session takes both subscriptions with it.
            a.disconnects()
            a.connects(clean: true)
            a.sends(.publish("\u{C5}", "2"), .publish("A\u{30A}", "2"))
            a.getsNothing()
        }
        Exchange("client identifiers are not normalised", v3: ["3.1.3-2"], v5: ["3.1.3-2"]) {
            a.connects(id: "\u{C5}", kept: true)
            b.connects(id: "A\u{30A}", kept: true, present: false)
            a.sends(.pingReq)
            a.gets(.pingResp)
        }
        Exchange("share names are not normalised", v5: ["4.7.3-4"], traps: [49]) {
            a.connects()
            a.subscribes("$share/\u{C5}/t")
            a.subscribes("$share/A\u{30A}/t")
            b.connects()
            b.sends(.publish("t", "x"))
            a.gets(.publish("t", "x"), .publish("t", "x"))
            a.unsubscribes("$share/A\u{30A}/t")
            b.sends(.publish("t", "y"))
            a.gets(.publish("t", "y"))
            a.getsNothing()
            a.disconnects()
            b.sends(.publish("t", "z"), .pingReq)
            b.gets(.pingResp)
        }
        Exchange("retained topics are not normalised", v3: ["4.7.3-4"], v5: ["4.7.3-4"]) {
            a.connects()
            a.publishes("\u{C5}", "1", retain: true)
            a.publishes("A\u{30A}", "2", retain: true)
            a.publishes("\u{212B}", "", retain: true)
            a.subscribes("+")
            a.getsInAnyOrder(.publish("\u{C5}", "1", retain: true), .publish("A\u{30A}", "2", retain: true))
        }
        Exchange("white space, case and slashes count in topics", v3: ["4.7.3-4"], v5: ["4.7.3-4"]) {
            a.connects()
            a.subscribes("Ab c")
            a.sends(.publish("ab c", "1"), .publish("Abc", "2"), .publish("Ab c ", "3"), .publish("/Ab c", "4"))
            a.sends(.publish("Ab c/", "5"), .publish("Ab c", "same"))
            a.gets(.publish("Ab c", "same"))
            a.getsNothing()
        }
    }

    @ExchangeList private static var stringProperties: [Exchange] {
        for (what, digits) in [
            ("name is no UTF-8", "26 00 01 FF 00 01 61"), ("value is no UTF-8", "26 00 01 61 00 03 ED A0 80"),
            ("value has U+0000", "26 00 01 61 00 01 00"),
        ] {
            Exchange("a user property whose \(what) is malformed", v5: ["1.5.7-1"], traps: [23]) {
                a.connects()
                a.sends(.publish("t", "x", .hex(digits)))
                a.isRefused(0x81)
            }
        }
        Exchange("a content type that is no UTF-8 is malformed", v5: ["3.3.2-19"]) {
            a.connects()
            a.sends(.publish("t", "x", .hex("03 00 02 C0 AF")))
            a.isRefused(0x81)
        }
        Exchange("a response topic that is no UTF-8 is malformed", v5: ["3.3.2-13"]) {
            a.connects()
            a.sends(.publish("t", "x", .hex("08 00 02 C0 AF")))
            a.isRefused(0x81)
        }
    }
}
