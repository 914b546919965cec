using System.Text.Json.Serialization;
using Danm.Api;
using Danm.Kube;

namespace Danm.Install;

/// <summary>JSON of what only the installer meets.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(DefaultNetworkManifest))]
[JsonSerializable(typeof(TokenRequest))]
[JsonSerializable(typeof(KubeConfigFile))]
internal sealed partial class InstallJson : JsonSerializerContext;
