// What a network can do to hosts, and what can happen to a host as a whole: the words of `pnfslab net` and of a
// scenario's [hosts] section. Pure: text in, commands for a shell in the host's network out. testbed/lab/HOSTS.md
// describes the language to its users.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "testbed/lab/hosts.hpp"

namespace pnfs::lab {

struct NetFault {
  enum class Verb { refuse, reset, blackhole, loss, rate, partition, heal, pause, resume, kill, start };
  Verb verb = Verb::heal;
  std::string host;     // empty: every host (partition and heal alone)
  std::string network;  // "san", "nfs", or empty: each that the host is in
  unsigned percent = 0;
  std::string rate;  // as tc(8) has it: "10mbit"
};

// "loss ds1 on nfs 30%". invalid: what is wrong and what would be right.
Result<NetFault> parse_net_fault(std::string_view text);

// The networks that it is about, of those that the host is in.
std::vector<std::string> networks_of(const NetFault& fault, const Host& host);

// What a shell has to do in the host's network namespace; empty for what is done elsewhere (partition, pause ...).
std::string host_script(const NetFault& fault, const Host& host);

}  // namespace pnfs::lab
