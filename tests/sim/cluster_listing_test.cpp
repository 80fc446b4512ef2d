// What `pnfslab nodes` and `pnfslab locks` show.
#include "common/control/control_prot.hpp"
#include "common/control/wire.hpp"
#include "tests/sim/data_server_fixture.hpp"

namespace pnfs::cluster {
namespace {

struct ClusterListing : DataServerRules {
  template <class Res, class Args, class Check>
  void ask_mds(control::control_proc proc, const Args& args, Check check) {
    auto go = [](Cluster& c, io::Network& network, control::control_proc which, const Args& what,
                 Check& then) -> io::Task<void> {
      rpc::Client rpc(network, c.sim().timers());
      auto connection = co_await rpc.connect(c.mds_address(), 1s);
      if (connection) {
        auto answer = co_await control::call<Res>(*connection, which, what, 1s);
        EXPECT_TRUE(answer);
        if (answer) then(answer->res);
      }
      co_await rpc.stop();
    };
    run(go(cluster(), cluster().add_node(fmt::format("asker{}", asked++)), proc, args, check));
  }
  int asked = 0;
};

TEST_F(ClusterListing, NodesAndLocks) {
  begin();
  ask_mds<control::NODESres>(control::CTLPROC_NODES, control::NODESargs{}, [](const control::NODESres& res) {
    ASSERT_EQ(res.ok.nodes.size(), 3u);
    EXPECT_EQ(res.ok.nodes[0].name.text, "mds");
    for (size_t i = 1; i < 3; ++i) {
      EXPECT_EQ(res.ok.nodes[i].state, control::NODE_MEMBER);
      EXPECT_TRUE(res.ok.nodes[i].connected);
      EXPECT_GT(res.ok.nodes[i].lease_left_ms, 0u);
      EXPECT_GT(res.ok.nodes[i].grants, 0u);
      EXPECT_GT(res.ok.nodes[i].verdicts, 0u);
      ASSERT_EQ(res.ok.nodes[i].addresses.size(), 1u);
      EXPECT_EQ(res.ok.nodes[i].addresses[0].ip.text, fmt::format("10.0.0.{}", 10 + i))
          << "its own address, not the MDS's";
    }
  });
  size_t exclusive = 0;
  ask_mds<control::LOCKSres>(control::CTLPROC_LOCKS, control::LOCKSargs{}, [&](const control::LOCKSres& res) {
    EXPECT_FALSE(res.ok.more);
    for (const auto& lock : res.ok.locks) exclusive += lock.mode == control::GRANT_EX;
  });
  EXPECT_EQ(exclusive, 2u) << "one for each data server's stripes";
}

TEST_F(ClusterListing, AnOrderlyEndIsALeaveAndACrashAFence) {
  begin();
  ASSERT_TRUE(cluster().stop("ds1"));
  cluster().kill("ds2");
  cluster().run_for(10s);
  ask_mds<control::NODESres>(control::CTLPROC_NODES, control::NODESargs{}, [](const control::NODESres& res) {
    EXPECT_EQ(res.ok.nodes[1].state, control::NODE_LEFT);
    EXPECT_EQ(res.ok.nodes[2].state, control::NODE_FENCED);
    EXPECT_EQ(res.ok.fenced, 1u);
    EXPECT_EQ(res.ok.waited_out, 0u);
    EXPECT_EQ(res.ok.nodes[1].grants + res.ok.nodes[2].grants, 0u);
  });
}

}  // namespace
}  // namespace pnfs::cluster
