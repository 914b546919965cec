namespace Danm.Svcwatcher.Selection;

/// <summary>Something about a Service that its owner should know.</summary>
/// <param name="Reason">One word in CamelCase, an Event's reason.</param>
/// <param name="Message">What is wrong, and what to do.</param>
internal sealed record ServiceFault(string Reason, string Message);
