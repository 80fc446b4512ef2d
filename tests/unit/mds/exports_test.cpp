// Export rules: who is served, and as whom.
#include "mds/exports.hpp"

#include "mds/namespace/caller.hpp"

#include "tests/unit/mds/mds_fixture.hpp"

namespace pnfs::mds {
namespace {

using namespace nfs;

ExportRule rule(std::string_view text) {
  auto parsed = parse_export_rule(text);
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().reason);
  return parsed ? *parsed : ExportRule{};
}
bool matches(std::string_view text, const char* client) {
  return rule(text).matches(io::asio::ip::make_address(client));
}

TEST(ExportRules, ClientsByAddressAndNetwork) {
  EXPECT_TRUE(matches("*", "10.0.0.1"));
  EXPECT_TRUE(matches("*(rw)", "fe80::1"));
  EXPECT_TRUE(matches("10.0.0.1(rw)", "10.0.0.1"));
  EXPECT_FALSE(matches("10.0.0.1(rw)", "10.0.0.2"));
  EXPECT_TRUE(matches("10.0.0.0/20", "10.0.15.255"));
  EXPECT_FALSE(matches("10.0.0.0/20", "10.0.16.0"));
  EXPECT_TRUE(matches("0.0.0.0/0", "255.1.2.3"));
  EXPECT_FALSE(matches("0.0.0.0/0", "::1"));
  EXPECT_TRUE(matches("10.0.0.0/8", "::ffff:10.9.9.9")) << "a v4 client of a v6 listener";
  EXPECT_TRUE(matches("fd00:1::/33", "fd00:1:7fff::9"));
  EXPECT_FALSE(matches("fd00:1::/33", "fd00:1:8000::9"));
}

TEST(ExportRules, OptionsAndTheirDefaults) {
  const ExportRule strict = rule("*");
  EXPECT_TRUE(strict.read_only);
  EXPECT_TRUE(strict.squash.root);
  EXPECT_FALSE(strict.squash.all);
  const ExportRule open = rule("10.0.0.0/8(rw,no_root_squash)");
  EXPECT_FALSE(open.read_only);
  EXPECT_FALSE(open.squash.root);
  const ExportRule all = rule("*(rw,all_squash,anonuid=1000,anongid=100)");
  EXPECT_TRUE(all.squash.all);
  EXPECT_EQ(all.squash.anonymous_uid, 1000u);
  EXPECT_EQ(all.squash.anonymous_gid, 100u);
}

TEST(ExportRules, WhatIsWrongIsSaid) {
  for (const auto& [text, why] :
       std::initializer_list<std::pair<const char*, const char*>>{{"", "no address"},
                                                                  {"client.example(rw)", "no address"},
                                                                  {"10.0.0.0/33", "0 to 32 bits"},
                                                                  {"10.0.0.0/x", "0 to 32 bits"},
                                                                  {"*(rw", "closing bracket"},
                                                                  {"*(rx)", "none of ro, rw"},
                                                                  {"*(rw,)", nullptr},
                                                                  {"*(anonuid=)", "needs a number"},
                                                                  {"*(anongid=-1)", "needs a number"}}) {
    const auto parsed = parse_export_rule(text);
    if (why == nullptr) {
      EXPECT_TRUE(parsed.has_value()) << text;
      continue;
    }
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_NE(parsed.error().reason.find(why), std::string::npos) << parsed.error().reason;
  }
}

struct ExportTest : MdsTest {
  void restart_with(std::vector<std::string_view> rules) {
    std::vector<ExportRule> parsed;
    for (const std::string_view text : rules) parsed.push_back(rule(text));
    stop();
    options.exports = Exports(std::move(parsed));
    start();
  }
};

TEST_F(ExportTest, WithoutAMatchAClientIsRefused) {
  restart_with({"10.0.1.0/24(rw)"});
  clients.push_back(std::make_unique<client::FileSystem>(client_side, sim.timers(), sim.random(), client::Options{}));
  const auto mounted = sim.run(clients.back()->mount(at));
  ASSERT_FALSE(mounted.has_value());
  EXPECT_EQ(mounted.error().transport.code, Errc::permission) << client::to_string(mounted.error());
}

TEST_F(ExportTest, TheFirstMatchCounts) {
  {
    auto& fs = mount();
    ASSERT_DONE(sim.run(fs.mkdir("open", 0777)));
    ASSERT_DONE(sim.run(fs.unmount()));
    clients.clear();
  }
  restart_with({"10.0.0.2(ro,no_root_squash)", "*(rw,root_squash)"});
  auto& reader = mount("reader");
  EXPECT_NFS(NFS4ERR_ROFS, sim.run(reader.mkdir("open/d")));
  EXPECT_EQ(*sim.run(reader.access("open", ACCESS4_READ | ACCESS4_MODIFY)), uint32_t{ACCESS4_READ});
  io::Network& elsewhere = network.add_node("elsewhere", {io::asio::ip::make_address("10.0.0.9")});
  clients.push_back(std::make_unique<client::FileSystem>(elsewhere, sim.timers(), sim.random(), client::Options{}));
  auto& writer = *clients.back();
  ASSERT_DONE(sim.run(writer.mount(at)));
  EXPECT_DONE(sim.run(writer.mkdir("open/d")));
  EXPECT_EQ(sim.run(writer.getattr("open/d"))->owner, "65534") << "root is nobody";
  EXPECT_NFS(NFS4ERR_ACCESS, sim.run(writer.mkdir("d")));
}

TEST_F(ExportTest, EverybodyIsTheOneUserThatTheRuleNames) {
  {
    auto& fs = mount();
    ASSERT_DONE(sim.run(fs.mkdir("open", 0777)));
    ASSERT_DONE(sim.run(fs.unmount()));
    clients.clear();
  }
  restart_with({"*(rw,all_squash,anonuid=4000,anongid=5000)"});
  auto& fs = mount("ann", 1000);
  ASSERT_DONE(sim.run(fs.mkdir("open/d")));
  const auto made = sim.run(fs.getattr("open/d"));
  EXPECT_EQ(made->owner, "4000");
  EXPECT_EQ(made->group, "5000");
}

TEST(Callers, RootSquashTakesGroupZeroWhereverItStands) {
  Arena arena;
  const uint32_t groups[] = {5, 0, 7};
  rpc::Credential credential = rpc::Credential::sys(1000, 0);
  credential.gids = groups;
  const Caller squashed = caller_of(credential, {.root = true}, arena);
  EXPECT_EQ(squashed.uid, 1000u);
  EXPECT_FALSE(squashed.in_group(0));
  EXPECT_TRUE(squashed.in_group(7));
  EXPECT_TRUE(squashed.in_group(65534));
  EXPECT_TRUE(caller_of(credential, {}, arena).in_group(0));
}

}  // namespace
}  // namespace pnfs::mds
