namespace Danm.Tests.Dns;

/// <summary>What a reply says of its question, by RFC 1035, section 4.1.1.</summary>
public enum DnsCode : byte
{
    /// <summary>Without an answer: there is such a name, but nothing of the type that was asked for.</summary>
    NoError = 0,

    FormatError = 1,
    NoSuchName = 3,
    NotImplemented = 4,
    Refused = 5,
}
