namespace Danm.Tests.Demo;

/// <summary>A step of the demo failed; the message says why.</summary>
internal sealed class DemoException(string message, Exception? inner = null) : Exception(message, inner);
