using System.Text;
using System.Text.Json;
using Danm.Kube;

namespace Danm.Tests.Kube;

/// <summary>Pages of lists, read where they lie.</summary>
public sealed class ListJsonTests
{
    [TestCase("""{"kind":"PodList","metadata":{"resourceVersion":"7","continue":"abc"},"items":[{"a":[1]}]}""", "abc", TestName = "in front")]
    [TestCase("""{"apiVersion":"v1","items":[{"a":[1]},{"b":"]"}],"kind":"XList","metadata":{"continue":"abc","resourceVersion":"7"}}""", "abc", TestName = "at the end")]
    [TestCase("""{"items":[{"metadata":{"continue":"item's"}}],"metadata":{"note":"a ] b","continue":"abc"}}""", "abc", TestName = "at the end, with a bracket before it")]
    [TestCase("""{"items":[{"x":[],"metadata":{"continue":"item's"}}]}""", null, TestName = "none, and an item that ends like a list")]
    [TestCase("""{ "items": [ ], "metadata": { "continue": "a\"c" } }""", "a\"c", TestName = "with white space")]
    [TestCase("""{"items":null,"metadata":{"continue":"abc"}}""", "abc", TestName = "no items")]
    [TestCase("""{"metadata":{"continue":""},"items":[]}""", null, TestName = "empty")]
    [TestCase("""{"metadata":{"continue":{"a":1}},"items":[]}""", null, TestName = "no text")]
    [TestCase("""{"metadata":null,"items":[]}""", null, TestName = "no metadata")]
    [TestCase("{}", null, TestName = "no list")]
    public void The_next_pages_token_is_found_wherever_it_is(string page, string? token) => ListJson.Continue(Encoding.UTF8.GetBytes(page)).Should().Be(token);

    [TestCase("""{"metadata":{"resourceVersion":"7","continue":"abc"},"items":[]}""", "7", "abc")]
    [TestCase("""{"items":[{"metadata":{"resourceVersion":"3"}}],"metadata":{"continue":"abc","remainingItemCount":5,"resourceVersion":"7"}}""", "7", "abc")]
    [TestCase("""{"items":[{"metadata":{"resourceVersion":"3"}}],"metadata":{"resourceVersion":7}}""", null, null)]
    [TestCase("""{"items":[{"metadata":{"resourceVersion":"3"}}]}""", null, null)]
    public void A_list_says_which_version_it_is(string page, string? version, string? token)
    {
        var metadata = ListJson.Metadata(Encoding.UTF8.GetBytes(page));

        (metadata.ResourceVersion, metadata.Continue).Should().Be((version, token));
    }

    [TestCase("")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("""{"items":[{"a":1}""")]
    public void What_is_no_list_is_refused(string page)
    {
        var read = () => ListJson.Continue(Encoding.UTF8.GetBytes(page));
        read.Should().Throw<JsonException>();
    }

    [TestCase("""{"metadata":{"items":[{"uid":"no"}]},"items":[{"uid":"a","b":[{"uid":"no"}]},{"b":{},"uid":"b"},{}],"kind":"x"}""", "a b -")]
    [TestCase("""{"items":[]}""", "")]
    [TestCase("""{"items":null}""", "")]
    [TestCase("""{"items":{"uid":"no"}}""", "")]
    [TestCase("{}", "")]
    [TestCase("""{"items":[{"uid":7},{"uid":["x"]},{"uid":"a"}]}""", "- - a")]
    public void Items_come_one_after_the_other(string page, string uids)
    {
        var found = new List<string>();
        var json = ListJson.Items(Encoding.UTF8.GetBytes(page));
        while (ListJson.NextItem(ref json))
        {
            string? uid = null;
            while (ListJson.NextMember(ref json))
            {
                if (json.ValueTextEquals("uid"u8))
                    uid = ListJson.Text(ref json);
                else
                    json.Skip();
            }

            found.Add(uid ?? "-");
        }

        string.Join(' ', found).Should().Be(uids);
    }
}
