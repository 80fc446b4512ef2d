#include "testbed/target/login.hpp"

#include <gtest/gtest.h>

namespace pnfs::target {
namespace {

constexpr uint8_t kTransit = 0x80;
constexpr uint8_t kContinue = 0x40;

struct OneTarget final : LoginDirectory {
  LoginRules discovery_rules;
  LoginRules rules;
  bool admits = true;
  const LoginRules& discovery() const override { return discovery_rules; }
  const LoginRules* find(std::string_view name) const override { return name == rules.name ? &rules : nullptr; }
  bool allowed(std::string_view, std::string_view) const override { return admits; }
};

struct LoginTest : ::testing::Test {
  LoginTest() { directory.rules.name = "iqn.2026-01.pnfslab:volume"; }

  static Header request(uint8_t flags) {
    Header h;
    h.set_opcode(Opcode::login, flags);
    h.raw[8] = 0x40;
    h.raw[9] = 7;
    return h;
  }
  // Keys separated by blanks.
  LoginReply send(uint8_t flags, std::string text) {
    for (char& c : text) {
      if (c == ' ') c = '\0';
    }
    if (!text.empty()) text += '\0';
    return machine.on_request(request(flags), as_octets(text));
  }
  static std::string value(const LoginReply& reply, std::string_view key) {
    const auto keys = parse_text(reply.text);
    for (const auto& kv : *keys) {
      if (kv.key == key) return std::string(kv.value);
    }
    return "(none)";
  }

  const std::string kNames = "InitiatorName=iqn.a:One SessionType=Normal TargetName=iqn.2026-01.PNFSLAB:volume ";
  OneTarget directory;
  SeededRandom random{7};
  LoginMachine machine{directory, random};
};

TEST_F(LoginTest, OneRequestIsEnoughWithoutAuthentication) {
  const auto reply = send(kTransit | 0x07, kNames + "MaxBurstLength=16776192 ImmediateData=Yes InitialR2T=No");
  EXPECT_EQ(reply.status, LoginStatus::success) << reply.reason;
  EXPECT_TRUE(reply.complete);
  EXPECT_EQ(reply.flags, kTransit | 0x07);
  EXPECT_EQ(value(reply, "MaxBurstLength"), "1048576");
  EXPECT_EQ(value(reply, "MaxRecvDataSegmentLength"), "262144");
  EXPECT_EQ(value(reply, "TargetPortalGroupTag"), "1");
  EXPECT_FALSE(machine.outcome().parameters.initial_r2t);
  EXPECT_EQ(machine.outcome().initiator, "iqn.a:one");
}

TEST_F(LoginTest, AnUnknownKeyIsNotUnderstoodAndDoesNotEndTheLogin) {
  const auto reply = send(kTransit | 0x07, kNames + "X-com.example.new=1");
  EXPECT_TRUE(reply.complete);
  EXPECT_EQ(value(reply, "X-com.example.new"), "NotUnderstood");
}

TEST_F(LoginTest, RefusalsCarryTheStatusOfTheRfc) {
  EXPECT_EQ(send(kTransit | 0x07, "SessionType=Discovery").status, LoginStatus::missing_parameter);
  LoginMachine other(directory, random);
  const std::string unknown = "InitiatorName=iqn.a:x" + std::string(1, '\0') + "TargetName=iqn.a:none";
  EXPECT_EQ(other.on_request(request(kTransit | 0x07), as_octets(unknown)).status, LoginStatus::not_found);
  LoginMachine third(directory, random);
  directory.admits = false;
  const std::string known = "InitiatorName=iqn.a:x" + std::string(1, '\0') + "TargetName=" + directory.rules.name;
  EXPECT_EQ(third.on_request(request(kTransit | 0x07), as_octets(known)).status, LoginStatus::authorization_failure);
}

TEST_F(LoginTest, AStageCannotBeSkippedBackOrInvented) {
  EXPECT_EQ(send(kTransit | 0x04, kNames).status, LoginStatus::invalid_request);
  LoginMachine other(directory, random);
  EXPECT_EQ(other.on_request(request(0x0c), {}).status, LoginStatus::invalid_request);
}

TEST_F(LoginTest, TextMayComeInPieces) {
  const std::string first = "InitiatorName=iqn.a:x";
  const auto reply = machine.on_request(request(kContinue | 0x04), as_octets(first));
  EXPECT_EQ(reply.status, LoginStatus::success);
  EXPECT_TRUE(reply.text.empty());
  const std::string rest = std::string("yz") + '\0' + "TargetName=" + directory.rules.name;
  const auto last = machine.on_request(request(kTransit | 0x07), as_octets(rest));
  EXPECT_TRUE(last.complete) << last.reason;
  EXPECT_EQ(machine.outcome().initiator, "iqn.a:xyz");
}

TEST_F(LoginTest, EndlessTextIsRefused) {
  const std::string piece(8000, 'x');
  LoginReply reply;
  for (int i = 0; i < 20 && reply.status == LoginStatus::success; ++i)
    reply = machine.on_request(request(kContinue | 0x04), as_octets(piece));
  EXPECT_EQ(reply.status, LoginStatus::initiator_error);
}

struct ChapTest : LoginTest {
  ChapTest() { directory.rules.incoming = {{"alice", "a secret of 16 b"}}; }

  // Runs up to the challenge and answers it with `secret`.
  LoginReply authenticate(std::string_view secret, std::string extra = "", bool reflect = false) {
    send(kTransit | 0x01, kNames + "AuthMethod=CHAP,None");
    const auto challenge = send(0x00, "CHAP_A=5");
    EXPECT_EQ(value(challenge, "CHAP_A"), "5");
    const auto id = parse_number(value(challenge, "CHAP_I"), 0, 255);
    const auto bytes = parse_binary(value(challenge, "CHAP_C"), 1024);
    EXPECT_GE(bytes->size(), 16u);
    const auto response = chap_response(ChapAlgorithm::md5, static_cast<uint8_t>(*id), secret, *bytes);
    if (reflect) extra = " CHAP_I=1 CHAP_C=" + format_binary(*bytes);
    return send(kTransit | 0x01, "CHAP_N=alice CHAP_R=" + format_binary(response) + extra);
  }
};

TEST_F(ChapTest, TheRightSecretGoesOnToNegotiation) {
  const auto reply = authenticate("a secret of 16 b");
  EXPECT_EQ(reply.status, LoginStatus::success) << reply.reason;
  EXPECT_EQ(reply.flags, kTransit | 0x01);
  EXPECT_TRUE(send(kTransit | 0x07, "HeaderDigest=None").complete);
}

TEST_F(ChapTest, TheWrongSecretDoesNot) {
  EXPECT_EQ(authenticate("a secret of 16 c").status, LoginStatus::authentication_failure);
}

TEST_F(ChapTest, SkippingAuthenticationFails) {
  EXPECT_EQ(send(kTransit | 0x07, kNames).status, LoginStatus::authentication_failure);
}

TEST_F(ChapTest, LeavingTheSecurityStageUnprovenFails) {
  EXPECT_EQ(send(kTransit | 0x01, kNames).status, LoginStatus::authentication_failure);
}

TEST_F(ChapTest, OfferingNoneIsNotEnough) {
  EXPECT_EQ(send(kTransit | 0x01, kNames + "AuthMethod=None").status, LoginStatus::authentication_failure);
}

TEST_F(ChapTest, AResponseWithoutAChallengeFails) {
  EXPECT_NE(send(0x00, kNames + "CHAP_N=alice CHAP_R=0x00").status, LoginStatus::success);
}

TEST_F(ChapTest, MutualProvesUsToTheInitiator) {
  directory.rules.outgoing = ChapUser{"target", "another secret!!"};
  const std::vector<uint8_t> challenge(16, 0x5a);
  const auto reply = authenticate("a secret of 16 b", " CHAP_I=9 CHAP_C=" + format_binary(challenge));
  ASSERT_EQ(reply.status, LoginStatus::success) << reply.reason;
  EXPECT_EQ(value(reply, "CHAP_N"), "target");
  EXPECT_EQ(value(reply, "CHAP_R"), format_binary(chap_response(ChapAlgorithm::md5, 9, "another secret!!", challenge)));
}

TEST_F(ChapTest, OurOwnChallengeSentBackIsAnAttack) {
  directory.rules.outgoing = ChapUser{"target", "another secret!!"};
  EXPECT_EQ(authenticate("a secret of 16 b", "", true).status, LoginStatus::authentication_failure);
}

TEST(Chap, KnownAnswer) {
  // MD5("\x01" "secret" 00112233...): computed with openssl(1).
  const std::vector<uint8_t> challenge{0x00, 0x11, 0x22, 0x33};
  EXPECT_EQ(format_binary(chap_response(ChapAlgorithm::md5, 1, "secret", challenge)),
            "0x98ce819c9fdb98a42d8bbc93ef2af654");
}

TEST(Negotiation, DigestsFollowTheInitiatorsOrder) {
  OneTarget directory;
  SeededRandom random(1);
  directory.rules.name = "iqn.a:t";
  LoginMachine machine(directory, random);
  Header h = LoginTest::request(0x87);
  std::string text = "InitiatorName=iqn.a:i*TargetName=iqn.a:t*HeaderDigest=CRC32C,None*DataDigest=None,CRC32C";
  for (char& c : text) {
    if (c == '*') c = '\0';
  }
  ASSERT_TRUE(machine.on_request(h, as_octets(text)).complete);
  EXPECT_TRUE(machine.outcome().parameters.header_digest);
  EXPECT_FALSE(machine.outcome().parameters.data_digest);
}

TEST(Text, BinaryForms) {
  EXPECT_EQ(*parse_binary("0x0aFf", 8), (std::vector<uint8_t>{0x0a, 0xff}));
  EXPECT_EQ(*parse_binary("0xabc", 8), (std::vector<uint8_t>{0x0a, 0xbc}));
  EXPECT_EQ(*parse_binary("0bAQID", 8), (std::vector<uint8_t>{1, 2, 3}));
  EXPECT_EQ(*parse_binary("0bAQ==", 8), (std::vector<uint8_t>{1}));
  EXPECT_FALSE(parse_binary("0xzz", 8));
  EXPECT_FALSE(parse_binary("0x000000000000000000", 8));
}

}  // namespace
}  // namespace pnfs::target
