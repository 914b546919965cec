using Danm.Api;

namespace Danm.Netwatcher;

/// <summary>
/// Which devices the masters of a NetworkAttachmentDefinition were before they were led to interfaces of ours, as two of its annotations
/// say it: the interfaces, and the device of each.
/// </summary>
internal sealed class LedMasters
{
    private readonly Dictionary<string, string> devices = [];
    private readonly string? only;

    public LedMasters(IReadOnlyDictionary<string, string>? annotations)
    {
        Interfaces = annotations?.GetValueOrDefault(ApiNames.HostInterfaceAnnotation);
        Devices = annotations?.GetValueOrDefault(NetworkAttachmentDefinition.OriginalMasterAnnotation);
        string[] names = Interfaces?.Split(',') ?? [], originals = Devices?.Split(',') ?? [];
        only = originals is [{ Length: > 0 } one] ? one : null;
        if (only is null && names.Length != originals.Length)
            return;
        for (var i = 0; i < names.Length; i++)
            devices[names[i]] = only ?? originals[i];
    }

    /// <summary>The interfaces' annotation as it is; null: none was led.</summary>
    public string? Interfaces { get; }

    /// <summary>The devices' annotation as it is.</summary>
    public string? Devices { get; }

    /// <summary>The interfaces' names.</summary>
    public IReadOnlyCollection<string> Names => devices.Keys;

    /// <summary>The device that this master was; null: it was not led.</summary>
    /// <param name="master">What the configuration says now.</param>
    /// <param name="wanted">
    /// The name of the interface that it wants; null: it wants none. Where the device alone is written down, as somebody does it by hand
    /// for what the original led, that is the interface.
    /// </param>
    public string? DeviceOf(string master, string? wanted) =>
        devices.TryGetValue(master, out var device) ? device : master == wanted ? only : null;
}
