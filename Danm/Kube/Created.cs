namespace Danm.Kube;

/// <summary>What a create made.</summary>
/// <param name="Object">As the server stored it.</param>
/// <param name="MayComeAgain">
/// Whether an earlier attempt got no answer: the server may still be at it, and would carry it out once the object is deleted.
/// </param>
public readonly record struct Created<T>(T Object, bool MayComeAgain)
    where T : class;
