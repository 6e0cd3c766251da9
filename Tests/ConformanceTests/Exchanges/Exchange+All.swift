extension Exchange {
    /// All of them, in the order of the standard's chapters.
    static let all: [Exchange] =
        strings + fixedHeader + packetIdentifiers + connect + connAck + sessions + wills + publish + expiryAndAliases
        + qualityOfService + flowControl + retained + subscribe + topics + sharedSubscriptions
        + limits + access + version31
}
