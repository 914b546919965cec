namespace Danm.Api;

/// <summary>What every object of the API server has.</summary>
public interface IApiObject
{
    /// <summary>Name, uid, labels, annotations.</summary>
    ObjectMeta Metadata { get; }
}
