using Danm.Api;

namespace Danm.Kube.Events;

/// <summary>Something that is said about an object.</summary>
/// <param name="About">The object, with its uid.</param>
/// <param name="Type">Normal or Warning.</param>
/// <param name="Reason">One word in CamelCase.</param>
/// <param name="Message">For people.</param>
internal readonly record struct Saying(ObjectReference About, string Type, string Reason, string Message);
