#include "common/rpc/message.hpp"

#include <gtest/gtest.h>

#include "common/rpc/uaddr.hpp"

namespace pnfs::rpc {
namespace {

struct MessageTest : ::testing::Test {
  Arena arena;
  std::vector<std::byte> wire;

  xdr::Decoder encoded_call(const CallHeader& header) {
    xdr::Encoder encoder(arena);
    encode_call(encoder, header);
    wire = encoder.flatten();
    return {wire, arena};
  }
  xdr::Decoder encoded_reply(const ReplyHeader& header) {
    xdr::Encoder encoder(arena);
    encode_reply(encoder, header);
    wire = encoder.flatten();
    return {wire, arena};
  }
};

TEST_F(MessageTest, CallWithAuthSysKeepsEveryField) {
  const uint32_t gids[] = {4, 24, 27};
  CallHeader header{7, 2, 100003, 4, 1, Credential::sys(1000, 100, "client.example")};
  header.credential.gids = gids;
  header.credential.stamp = 99;
  auto decoder = encoded_call(header);
  // RFC 5531 9 and 14: six words, flavor, length, stamp, name (15 + 1 of padding), uid, gid, 3 gids, verifier.
  EXPECT_EQ(wire.size(), 24u + 8 + 4 + 4 + 16 + 4 + 4 + 4 + 12 + 8 - 0);
  const auto got = decode_call(decoder);
  ASSERT_TRUE(got);
  EXPECT_EQ(decoder.left(), 0u);
  EXPECT_EQ(got->xid, 7u);
  EXPECT_EQ(got->program, 100003u);
  EXPECT_EQ(got->version, 4u);
  EXPECT_EQ(got->procedure, 1u);
  EXPECT_EQ(got->credential_status, AUTH_OK);
  EXPECT_EQ(got->credential.flavor, AuthFlavor::sys);
  EXPECT_EQ(got->credential.stamp, 99u);
  EXPECT_EQ(got->credential.machine, "client.example");
  EXPECT_EQ(got->credential.uid, 1000u);
  EXPECT_EQ(got->credential.gid, 100u);
  EXPECT_EQ(std::vector(got->credential.gids.begin(), got->credential.gids.end()), std::vector(gids, gids + 3));
}

TEST_F(MessageTest, EveryTruncationOfACallIsRefused) {
  encoded_call({7, 2, 100003, 4, 1, Credential::sys(1, 1)});
  for (size_t length = 0; length < wire.size(); ++length) {
    // A block of exactly that size, so that the sanitizer sees a read beyond it.
    const std::vector<std::byte> part(wire.begin(), wire.begin() + static_cast<ptrdiff_t>(length));
    xdr::Decoder decoder(part, arena);
    EXPECT_FALSE(decode_call(decoder)) << length;
  }
}

TEST_F(MessageTest, AnUnknownFlavorIsABadCredential) {
  CallHeader header{7, 2, 100003, 4, 1, {}};
  header.credential.flavor = static_cast<AuthFlavor>(390003);
  auto decoder = encoded_call(header);
  const auto got = decode_call(decoder);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->credential_status, AUTH_BADCRED);
}

TEST_F(MessageTest, SeventeenGroupsAreABadCredential) {
  encoded_call({7, 2, 100003, 4, 1, Credential::sys(1, 1, "")});
  // flavor at word 6, length, stamp, name length, uid, gid, count at word 12: ask for 17 groups and give them.
  auto set = [this](size_t word, uint32_t value) {
    value = __builtin_bswap32(value);
    std::memcpy(wire.data() + word * 4, &value, 4);
  };
  set(12, 17);
  set(7, 20 + 17 * 4);
  wire.insert(wire.begin() + 13 * 4, 17 * 4, std::byte{0});
  xdr::Decoder decoder(wire, arena);
  const auto got = decode_call(decoder);
  ASSERT_TRUE(got) << got.error().reason;
  EXPECT_EQ(got->credential_status, AUTH_BADCRED);
}

TEST_F(MessageTest, AnotherRpcVersionIsReportedNotParsed) {
  auto decoder = encoded_call({7, 2, 100003, 4, 1, {}});
  wire[11] = std::byte{3};
  const auto got = decode_call(decoder);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->rpc_version, 3u);
  EXPECT_EQ(got->xid, 7u);
}

TEST_F(MessageTest, RepliesOfEveryKindComeBack) {
  const ReplyHeader kinds[] = {{.xid = 1},
                               {.xid = 2, .status = PROG_UNAVAIL},
                               {.xid = 3, .status = PROG_MISMATCH, .low = 4, .high = 4},
                               {.xid = 4, .status = GARBAGE_ARGS},
                               {.xid = 5, .accepted = false, .rpc_mismatch = true, .low = 2, .high = 2},
                               {.xid = 6, .accepted = false, .auth_status = AUTH_TOOWEAK}};
  for (const ReplyHeader& kind : kinds) {
    auto decoder = encoded_reply(kind);
    const auto got = decode_reply(decoder);
    ASSERT_TRUE(got);
    EXPECT_EQ(decoder.left(), 0u);
    EXPECT_EQ(got->xid, kind.xid);
    EXPECT_EQ(got->accepted, kind.accepted);
    EXPECT_EQ(got->status, kind.status);
    EXPECT_EQ(got->rpc_mismatch, kind.rpc_mismatch);
    EXPECT_EQ(got->auth_status, kind.auth_status);
    EXPECT_EQ(got->low, kind.low);
    EXPECT_EQ(got->high, kind.high);
  }
  encoded_reply({.xid = 1});
  EXPECT_EQ(wire.size(), kSuccessHeaderBytes);
}

TEST(Uaddr, RoundTripsBothFamilies) {
  for (const char* text : {"10.1.2.3:2049", "127.0.0.1:12050", "[::1]:2049", "[fe80::1:2]:65535"}) {
    const auto endpoint = *io::parse_endpoint(text);
    const auto back = parse_uaddr(netid_of(endpoint), to_uaddr(endpoint));
    ASSERT_TRUE(back) << back.error().reason;
    EXPECT_EQ(*back, endpoint);
  }
  EXPECT_EQ(to_uaddr(*io::parse_endpoint("10.1.2.3:2049")), "10.1.2.3.8.1");
}

TEST(Uaddr, RefusesWhatIsNone) {
  for (const char* text :
       {"", "1", "1.2.3.4", "10.0.0.1.8", "10.0.0.1.8.1.1", "10.0.0.1.256.1", "10.0.0.1.8.256", "10.0.0.1.8.-1",
        "10.0.0.1.8.x", "300.0.0.1.8.1", "10.0.0.1.99999999999.1", "..8.1", "10.0.0.1..", "10.0.0.1.8."})
    EXPECT_FALSE(parse_uaddr("tcp", text)) << text;
  EXPECT_FALSE(parse_uaddr("tcp6", "10.0.0.1.8.1"));
  EXPECT_EQ(parse_uaddr("udp", "10.0.0.1.8.1").error().code, Errc::unsupported);
}

}  // namespace
}  // namespace pnfs::rpc
