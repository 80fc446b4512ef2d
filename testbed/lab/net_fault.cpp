#include "testbed/lab/net_fault.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace pnfs::lab {

namespace {

using Verb = NetFault::Verb;

struct VerbName {
  Verb verb;
  std::string_view name;
  std::string_view amount;  // what has to follow; empty: nothing
};
constexpr VerbName kVerbs[] = {
    {Verb::refuse, "refuse", ""}, {Verb::reset, "reset", ""},     {Verb::blackhole, "blackhole", ""},
    {Verb::loss, "loss", "30%"},  {Verb::rate, "rate", "10mbit"}, {Verb::partition, "partition", ""},
    {Verb::heal, "heal", ""},     {Verb::pause, "pause", ""},     {Verb::resume, "resume", ""},
    {Verb::kill, "kill", ""},     {Verb::start, "start", ""},
};

bool is_network(std::string_view word) {
  return word == "san" || word == "nfs";
}

bool is_about_processes(Verb verb) {
  return verb == Verb::pause || verb == Verb::resume || verb == Verb::kill || verb == Verb::start;
}

Result<void> take_amount(const std::string& word, NetFault& fault) {
  const char* end = word.data() + word.size();
  unsigned number = 0;
  const auto [rest, bad] = std::from_chars(word.data(), end, number);
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  if (fault.verb == Verb::loss) {
    if (bad != std::errc{} || unit != "%" || number < 1 || number > 99)
      return error(Errc::invalid, "'{}' is not a share of packets from 1% to 99% (all of them is blackhole)", word);
    fault.percent = number;
    return {};
  }
  constexpr std::string_view kUnits[] = {"kbit", "mbit", "gbit"};
  if (bad != std::errc{} || number < 1 || std::find(std::begin(kUnits), std::end(kUnits), unit) == std::end(kUnits))
    return error(Errc::invalid, "'{}' is not a rate like 500kbit, 10mbit or 1gbit", word);
  fault.rate = word;
  return {};
}

// HOST [on NETWORK], or a network alone, or nothing.
Result<void> take_place(std::vector<std::string>& words, NetFault& fault) {
  const bool all_hosts = fault.verb == Verb::partition || fault.verb == Verb::heal;
  if (words.empty()) {
    if (fault.verb == Verb::heal) return {};
    return error(Errc::invalid, "which host? target, mds, ds1, ds2...{}",
                 all_hosts ? "; or a network, san or nfs" : "");
  }
  if (all_hosts && is_network(words.front())) {
    fault.network = words.front();
    words.erase(words.begin());
    return {};
  }
  const auto host = find_host(words.front());
  if (!host) return host.error();
  fault.host = host->name;
  words.erase(words.begin());
  if (words.size() < 2 || words[0] != "on" || fault.verb == Verb::heal) return {};
  if (!is_network(words[1])) return error(Errc::invalid, "'{}' is no network: san or nfs", words[1]);
  fault.network = words[1];
  words.erase(words.begin(), words.begin() + 2);
  if (networks_of(fault, *host).empty())
    return error(Errc::invalid, "{} is not in the network {}", fault.host, fault.network);
  return {};
}

// The verdicts of nftables on what reaches (input) or leaves (output) an address.
std::string nft_rules(const NetFault& fault, const std::string& address) {
  const std::string in = "add rule inet pnfslab input ip daddr " + address;
  const std::string out = "add rule inet pnfslab output ip saddr " + address;
  switch (fault.verb) {
    case Verb::refuse:
      return in + " tcp flags & (syn | ack) == syn reject with tcp reset\n";
    case Verb::reset:
      // But for the resets themselves, which pass here too.
      return in + " tcp flags & rst == 0 reject with tcp reset\n" + out +
             " tcp flags & rst == 0 reject with tcp reset\n";
    case Verb::blackhole:
      return in + " drop\n" + out + " drop\n";
    case Verb::loss:
      return fmt::format("{} numgen random mod 100 < {} drop\n", in, fault.percent);
    default:
      return "";
  }
}

}  // namespace

Result<NetFault> parse_net_fault(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  const VerbName* verb = nullptr;
  for (const VerbName& each : kVerbs)
    if (!words.empty() && each.name == words.front()) verb = &each;
  if (verb == nullptr) {
    return error(Errc::invalid,
                 "'{}': expected refuse, reset, blackhole, loss, rate, partition, heal, pause, resume, kill or start",
                 words.empty() ? "" : words.front());
  }
  NetFault fault;
  fault.verb = verb->verb;
  words.erase(words.begin());
  if (auto done = take_place(words, fault); !done) return done.error();
  if (!verb->amount.empty()) {
    if (words.empty()) return error(Errc::invalid, "{}: how much? For example {}", verb->name, verb->amount);
    if (auto done = take_amount(words.front(), fault); !done) return done.error();
    words.erase(words.begin());
  }
  if (!words.empty()) return error(Errc::invalid, "'{}' says nothing more after '{}'", words.front(), verb->name);
  if (is_about_processes(fault.verb) && !fault.network.empty())
    return error(Errc::invalid, "{} is about a whole host, not about a network", verb->name);
  return fault;
}

std::vector<std::string> networks_of(const NetFault& fault, const Host& host) {
  std::vector<std::string> networks;
  for (const auto& [network, address] : {std::pair("san", &host.san), std::pair("nfs", &host.nfs)})
    if (!address->empty() && (fault.network.empty() || fault.network == network)) networks.emplace_back(network);
  return networks;
}

std::string host_script(const NetFault& fault, const Host& host) {
  if (is_about_processes(fault.verb) || fault.verb == Verb::partition) return "";
  std::string rules, script = "set -e\n";
  for (const std::string& network : networks_of(fault, host)) {
    const std::string& address = network == "san" ? host.san : host.nfs;
    const std::string device = fmt::format("$(ip -o -4 addr show to {}/32 | cut -d' ' -f2)", address);
    rules += nft_rules(fault, address);
    if (fault.verb == Verb::rate)
      script += fmt::format("tc qdisc replace dev {} root tbf rate {} burst 64kb latency 200ms\n", device, fault.rate);
    if (fault.verb == Verb::heal) script += fmt::format("tc qdisc del dev {} root 2>/dev/null || :\n", device);
  }
  if (fault.verb == Verb::heal) return script + "nft delete table inet pnfslab 2>/dev/null || :\n";
  if (rules.empty()) return script;
  return script + fmt::format(
                      "nft -f - <<'RULES'\n"
                      "add table inet pnfslab\n"
                      "add chain inet pnfslab input {{ type filter hook input priority 0; }}\n"
                      "add chain inet pnfslab output {{ type filter hook output priority 0; }}\n"
                      "{}RULES\n",
                      rules);
}

}  // namespace pnfs::lab
