using System.Runtime.InteropServices;
using CsCheck;
using Danm.Netlink;

namespace Danm.Tests.Netlink;

/// <summary>The conversation against a kernel that answers by script.</summary>
public class ConversationTests
{
    [Test]
    public void Repeats_an_interrupted_dump_and_forgets_its_first_half()
    {
        var channel = new ScriptedChannel(
            s => [Link(s, 1, NlmF.DumpInterrupted), Link(s, 2), Done(s)],
            s => [Link(s, 1), Done(s)]);
        using var socket = new RouteSocket(channel);
        socket.DumpLinks().Select(l => l.Index).Should().Equal(1);
        channel.Sent.Should().Be(2);
    }

    [Test]
    public void Repeats_a_dump_of_which_the_kernel_dropped_a_part()
    {
        var channel = new ScriptedChannel(s => [Link(s, 1), null], s => [Link(s, 1), Link(s, 2), Done(s)]);
        using var socket = new RouteSocket(channel);
        socket.DumpLinks().Select(l => l.Index).Should().Equal(1, 2);
    }

    [Test]
    public void Gives_a_dump_up_that_never_ends_uninterrupted()
    {
        using var socket = new RouteSocket(new ScriptedChannel(s => [Link(s, 1, NlmF.DumpInterrupted), Done(s)]));
        socket.Invoking(s => s.DumpLinks()).Should().Throw<NetlinkException>().WithMessage("dump links: * (EBUSY): interrupted 50 times*");
    }

    [Test]
    public void Leaves_messages_of_other_requests_aside()
    {
        using var socket = new RouteSocket(new ScriptedChannel(s => [Link(s - 1, 9), Error(s + 77, -1), Link(s, 1), Link(s ^ 0x80000000, 8), Done(s)]));
        socket.DumpLinks().Select(l => l.Index).Should().Equal(1);
    }

    [Test]
    public void Reports_an_error_at_the_end_of_a_dump()
    {
        using var socket = new RouteSocket(new ScriptedChannel(s => [Link(s, 1), Done(s, -Errno.EINVAL, "because")]));
        socket.Invoking(s => s.DumpLinks()).Should().Throw<NetlinkException>().WithMessage("dump links: invalid argument (EINVAL): because");
    }

    [Test]
    public void Finds_the_words_of_the_kernel_behind_an_echoed_request()
    {
        using var socket = new RouteSocket(new ScriptedChannel(s => [Error(s, -Errno.EINVAL, "be\u001bcause", echoedPayload: 5)]));
        socket.Invoking(s => s.DeleteLink(1)).Should().Throw<NetlinkException>().WithMessage("delete link \"1\": invalid argument (EINVAL): be?cause")
            .Which.KernelMessage.Should().Be("be\u001bcause");
    }

    [Test]
    public void Lost_acknowledgements_are_an_error()
    {
        using var socket = new RouteSocket(new ScriptedChannel(_ => [null]));
        socket.Invoking(s => s.DeleteLink(1)).Should().Throw<NetlinkException>().Which.Errno.Should().Be(Errno.ENOBUFS);
    }

    [Test]
    public void Silence_is_an_error()
    {
        using var socket = new RouteSocket(new ScriptedChannel(_ => []));
        socket.Invoking(s => s.DeleteLink(1)).Should().Throw<NetlinkException>().Which.Errno.Should().Be(Errno.ETIMEDOUT);
    }

    [Test]
    public void Survives_hostile_bytes()
    {
        var valid = Link(1, 7);
        var hostile = Gen.Select(Gen.Int[0, valid.Length], Gen.Int[0, 8].SelectMany(n => Gen.Select(Gen.Int[4, valid.Length - 1], Gen.Byte).Array[n]),
            (length, edits) =>
            {
                var bytes = (byte[])valid.Clone();
                foreach (var (at, value) in edits)
                    bytes[at] = value;
                return bytes[..length];
            });
        Gen.OneOf(hostile, Gen.Byte.Array[0, 200]).Sample(bytes =>
        {
            using var socket = new RouteSocket(new ScriptedChannel(s => [Stamp(bytes, s), Done(s)]));
            foreach (var dump in (Action[])[() => socket.DumpLinks(), () => socket.DeleteLink(1), () => socket.GetLink(1)])
            {
                try
                {
                    dump();
                }
                catch (NetlinkException)
                {
                }
            }
        }, iter: 20_000);
    }

    [TestCase(Rtm.NewAddress)]
    [TestCase(Rtm.NewRoute)]
    [TestCase(Rtm.NewRule)]
    [TestCase(Rtm.NewNeighbour)]
    [TestCase(Rtm.NewLink)]
    public void Parsers_take_any_attributes_or_say_malformed(ushort type)
    {
        Gen.Select(Gen.Byte.Array[8, 12], Gen.Select(Gen.UShort[0, 40], Gen.Byte.Array[0, 24]).Array[0, 8]).Sample((header, attributes) =>
        {
            var writer = new NetlinkWriter(new byte[1024]);
            // Half of them claim a family that we read.
            if ((header[0] & 1) == 0)
                header[0] = (header[0] & 2) == 0 ? (byte)Native.AF_INET : (byte)Native.AF_INET6;
            writer.Append(new NlMsgHdr { Type = type });
            writer.Append(MemoryMarshal.Read<ulong>(header));
            if (type != Rtm.NewAddress)
                writer.Append(0u);
            if (type == Rtm.NewLink)
                writer.Append(0u);
            foreach (var (attribute, value) in attributes)
                writer.Put(attribute, value);
            var datagram = writer.Written;
            MemoryMarshal.Write(datagram, (uint)datagram.Length);
            var reader = new NetlinkReader(datagram);
            reader.TryRead(out var message).Should().BeTrue();
            try
            {
                _ = type switch
                {
                    Rtm.NewAddress => InterfaceAddress.TryParse(message, out _),
                    Rtm.NewRoute => Route.TryParse(message, out _),
                    Rtm.NewRule => Rule.TryParse(message, out _),
                    Rtm.NewNeighbour => Neighbour.TryParse(message, false, out _),
                    _ => Danm.Netlink.Link.TryParse(message, out _),
                };
            }
            catch (NetlinkException e) when (e.Errno == Errno.EBADMSG)
            {
            }
        }, iter: 20_000);
    }

    [Test]
    public void Refuses_to_write_past_its_buffer()
    {
        var write = () =>
        {
            var writer = new NetlinkWriter(stackalloc byte[40]);
            writer.BeginMessage(Rtm.GetLink, 0, default(IfInfoMsg));
            writer.Put(Ifla.Name, "eth0-eth0");
        };
        write.Should().Throw<NetlinkException>().Which.Errno.Should().Be(Errno.EMSGSIZE);
    }

    private static byte[] Stamp(byte[] message, uint sequence)
    {
        var copy = (byte[])message.Clone();
        if (copy.Length >= NlMsgHdr.Size)
            MemoryMarshal.Write(copy.AsSpan(8), sequence);
        return copy;
    }

    private static byte[] Link(uint sequence, int index, ushort flags = 0)
    {
        var writer = new NetlinkWriter(new byte[256]);
        writer.BeginMessage(Rtm.NewLink, flags, new IfInfoMsg { Index = index });
        writer.Put(Ifla.Name, $"eth{index}");
        writer.Put(Ifla.Mtu, 1500);
        var info = writer.BeginNested(Ifla.LinkInfo);
        writer.Put(IflaInfo.Kind, "vxlan");
        var data = writer.BeginNested(IflaInfo.Data);
        new LinkKind.Vxlan(7) { Group = System.Net.IPAddress.Parse("239.0.0.7") }.WriteData(ref writer);
        writer.EndNested(data);
        writer.EndNested(info);
        writer.EndMessage();
        return Stamp(writer.Written.ToArray(), sequence);
    }

    private static byte[] Done(uint sequence, int error = 0, string? text = null)
    {
        var writer = new NetlinkWriter(new byte[256]);
        writer.BeginMessage(Nlmsg.Done, (ushort)(NlmF.Multi | (text is null ? 0 : NlmF.AckAttributes)), error);
        if (text is not null)
            writer.Put(NlmsgErr.Message, text);
        writer.EndMessage();
        return Stamp(writer.Written.ToArray(), sequence);
    }

    private static byte[] Error(uint sequence, int error, string? text = null, int echoedPayload = 0)
    {
        var writer = new NetlinkWriter(new byte[256]);
        writer.BeginMessage(Nlmsg.Error, text is null ? NlmF.Capped : NlmF.AckAttributes, error);
        writer.Append(new NlMsgHdr { Length = (uint)(NlMsgHdr.Size + echoedPayload), Sequence = sequence });
        for (var i = 0; i < echoedPayload; i += 4)
            writer.Append(0xffffffffu);
        if (text is not null)
            writer.Put(NlmsgErr.Message, text);
        writer.EndMessage();
        return Stamp(writer.Written.ToArray(), sequence);
    }

    /// <summary>Answers the n-th datagram by the n-th script, the last one over and over; a null datagram is ENOBUFS.</summary>
    private sealed class ScriptedChannel(params Func<uint, byte[]?[]>[] scripts) : INetlinkChannel
    {
        private readonly Queue<byte[]?> _answers = new();

        public int Sent { get; private set; }

        public int Send(ReadOnlySpan<byte> datagram)
        {
            var sequence = MemoryMarshal.Read<NlMsgHdr>(datagram).Sequence;
            foreach (var answer in scripts[Math.Min(Sent++, scripts.Length - 1)](sequence))
                _answers.Enqueue(answer);
            return 0;
        }

        public int Receive(Span<byte> buffer)
        {
            if (!_answers.TryDequeue(out var answer))
                return -Errno.ETIMEDOUT;
            if (answer is null)
                return -Errno.ENOBUFS;
            answer.CopyTo(buffer);
            return answer.Length;
        }

        public void Dispose()
        {
        }
    }
}
