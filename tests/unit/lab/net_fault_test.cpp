#include "testbed/lab/net_fault.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pnfs::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

NetFault parsed(std::string_view text) {
  auto fault = parse_net_fault(text);
  EXPECT_TRUE(fault) << text << ": " << (fault ? "" : fault.error().reason);
  return fault ? *fault : NetFault{};
}

std::string problem(std::string_view text) {
  const auto fault = parse_net_fault(text);
  EXPECT_FALSE(fault) << text;
  return fault ? "" : fault.error().reason;
}

std::string script(std::string_view text) {
  const NetFault fault = parsed(text);
  return host_script(fault, *find_host(fault.host));
}

TEST(NetFault, SaysWhatAndWhere) {
  const NetFault loss = parsed("loss ds12 on nfs 30%");
  EXPECT_EQ(loss.verb, NetFault::Verb::loss);
  EXPECT_EQ(loss.host, "ds12");
  EXPECT_EQ(loss.network, "nfs");
  EXPECT_EQ(loss.percent, 30u);
  EXPECT_EQ(parsed("rate target 500kbit").rate, "500kbit");
  EXPECT_EQ(parsed("partition san").network, "san");
  EXPECT_EQ(parsed("partition san").host, "");
  EXPECT_EQ(parsed("heal").host, "");
  EXPECT_EQ(parsed("kill mds").verb, NetFault::Verb::kill);
}

TEST(NetFault, ProblemsSayWhatWouldBeRight) {
  EXPECT_THAT(problem(""), HasSubstr("expected refuse"));
  EXPECT_THAT(problem("explode ds1"), HasSubstr("'explode'"));
  EXPECT_THAT(problem("refuse"), HasSubstr("which host"));
  EXPECT_THAT(problem("refuse ds0"), HasSubstr("no host 'ds0'"));
  EXPECT_THAT(problem("refuse ds1x"), HasSubstr("no host 'ds1x'"));
  EXPECT_THAT(problem("refuse ds1 on lan"), HasSubstr("san or nfs"));
  EXPECT_THAT(problem("refuse target on nfs"), HasSubstr("target is not in the network nfs"));
  EXPECT_THAT(problem("loss ds1"), HasSubstr("how much"));
  EXPECT_THAT(problem("loss ds1 0%"), HasSubstr("1% to 99%"));
  EXPECT_THAT(problem("loss ds1 100%"), HasSubstr("blackhole"));
  EXPECT_THAT(problem("loss ds1 30"), HasSubstr("1% to 99%"));
  EXPECT_THAT(problem("rate ds1 10mbit;reboot"), HasSubstr("not a rate"));
  EXPECT_THAT(problem("kill ds1 on san"), HasSubstr("whole host"));
  EXPECT_THAT(problem("refuse ds1 please"), HasSubstr("'please'"));
}

TEST(NetFault, ActsOnTheAddressesOfTheNetworkNamed) {
  EXPECT_THAT(script("blackhole ds1 on nfs"), HasSubstr("ip daddr 172.28.2.11 drop"));
  EXPECT_THAT(script("blackhole ds1 on nfs"), Not(HasSubstr("172.28.1.")));
  EXPECT_THAT(script("blackhole ds1"), HasSubstr("ip saddr 172.28.1.11 drop"));
  EXPECT_THAT(script("refuse mds"), HasSubstr("ip daddr 172.28.2.10 tcp flags"));
  EXPECT_THAT(script("rate target 10mbit"), HasSubstr("tbf rate 10mbit"));
  EXPECT_THAT(script("heal client"), HasSubstr("delete table inet pnfslab"));
  EXPECT_THAT(script("partition ds1"), IsEmpty()) << "that is done at the bridges";
}

TEST(Hosts, HaveTheAddressesOfTheContainers) {
  const auto hosts = hosts_with(2);
  std::vector<std::string> all;
  for (const Host& host : hosts) all.push_back(host.name + " " + host.san + " " + host.nfs);
  EXPECT_THAT(all, ElementsAre("target 172.28.1.5 ", "mds 172.28.1.10 172.28.2.10", "client  172.28.2.99",
                               "ds1 172.28.1.11 172.28.2.11", "ds2 172.28.1.12 172.28.2.12"));
  EXPECT_EQ(guest_host_address(1), "172.28.2.100");
}

TEST(Hosts, AreThoseOfTheServersThatThereAre) {
  LabState lab;
  for (const char* name : {"target", "mds", "ds2", "ds4"}) {
    Server server;
    server.name = name;
    lab.servers.push_back(server);
  }
  std::vector<std::string> all;
  for (const Host& host : hosts_of(lab)) all.push_back(host.name + " " + host.nfs);
  EXPECT_THAT(all, ElementsAre("target ", "mds 172.28.2.10", "client 172.28.2.99", "ds2 172.28.2.12", "ds4 172.28.2.14"));
  EXPECT_EQ(host_fd("ds4"), host_fd("ds2") + 2);
  EXPECT_EQ(host_fd("ds89"), -1);
  EXPECT_EQ(host_fd("switch"), -1);
}

}  // namespace
}  // namespace pnfs::lab
