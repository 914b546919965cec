using System.Text;
using System.Text.Json;
using Danm.Kube;

namespace Danm.Tests.Kube;

/// <summary>Names out of a server's table.</summary>
public sealed class NameTableTests
{
    [TestCase("""{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"7","continue":"abc","remainingItemCount":1},"columnDefinitions":[{"name":"Name","format":"name"}],"rows":[{"cells":["a","x",null,5,true],"object":null},{"cells":["b"],"object":{"metadata":{"name":"no","cells":["no"]}}}]}""", "a b", "abc")]
    [TestCase("""{"rows":[{"object":null,"conditions":[{"cells":["no"]}],"cells":["a",{"x":["no"]},["no"]]}],"metadata":{},"kind":"Table"}""", "a", null, Description = "members in any order")]
    [TestCase("""{"kind":"Table","metadata":{"continue":"","nested":{"continue":"no"}},"rows":[]}""", "", null)]
    public void Each_rows_first_cell_is_a_name(string text, string names, string? next)
    {
        var seen = new List<string>();

        NameTable.Read(Encoding.UTF8.GetBytes(text), name => seen.Add(Encoding.UTF8.GetString(name))).Should().Be(next);

        string.Join(' ', seen).Should().Be(names);
    }

    [TestCase("")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("""{"kind":"Table","metadata":{}}""", Description = "no rows is not the same as no objects")]
    [TestCase("""{"kind":"Table","metadata":{},"rows":null}""")]
    [TestCase("""{"kind":"IPAllocationList","metadata":{},"items":[],"rows":[]}""")]
    [TestCase("""{"kind":"Status","status":"Success","metadata":{}}""")]
    [TestCase("""{"kind":"Table","metadata":{},"rows":[{"cells":[]}]}""")]
    [TestCase("""{"kind":"Table","metadata":{},"rows":[{"cells":[5]}]}""")]
    [TestCase("""{"kind":"Table","metadata":{},"rows":[{"cells":["\\u0061"]}]}""")]
    [TestCase("""{"kind":"Table","metadata":{},"rows":[{"object":null}]}""")]
    [TestCase("""{"kind":"Table","metadata":{},"rows":["a"]}""")]
    [TestCase("""{"kind":"Table","metadata":{"continue":5},"rows":[]}""")]
    [TestCase("""{"kind":"Table","metadata":{},"rows":[{"cells":["a"]}""", Description = "cut off")]
    [TestCase("""{"kind":"Table","metadata":{},"rows":[]""", Description = "cut off")]
    public void What_is_no_table_never_passes_for_an_empty_one(string text) =>
        FluentActions.Invoking(() => NameTable.Read(Encoding.UTF8.GetBytes(text), _ => { })).Should().Throw<JsonException>();
}
