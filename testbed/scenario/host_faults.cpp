#include "testbed/scenario/host_faults.hpp"

#include <map>

#include "testbed/lab/net_control.hpp"

namespace pnfs::scenario {

Result<HostFault> parse_host_fault(std::string_view words) {
  constexpr std::string_view kAtStart = "at start do ", kOutput = "when output has ", kDo = " do ";
  HostFault out;
  out.text = std::string(words);
  std::string_view what;
  if (words.starts_with(kAtStart)) {
    what = words.substr(kAtStart.size());
  } else if (const size_t at = words.rfind(kDo);
             words.starts_with(kOutput) && at != words.npos && at > kOutput.size()) {
    out.trigger = std::string(words.substr(kOutput.size(), at - kOutput.size()));
    what = words.substr(at + kDo.size());
  } else {
    return error(Errc::invalid, "'{}': expected 'at start do FAULT' or 'when output has TEXT do FAULT'", words);
  }
  auto fault = lab::parse_net_fault(what);
  if (!fault) return fault.error();
  out.fault = std::move(*fault);
  return out;
}

void HostFaultPlayer::act(size_t i) {
  done_[i] = true;
  if (auto done = lab::apply(state_, faults_[i].fault); !done && problem_)
    problem_ = done.error().with_context(fmt::format("'{}'", faults_[i].text));
}

Result<void> HostFaultPlayer::start() {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < faults_.size(); ++i)
    if (faults_[i].trigger.empty()) act(i);
  return problem_;
}

void HostFaultPlayer::on_output(const std::string& output) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < faults_.size(); ++i)
    if (!done_[i] && output.find(faults_[i].trigger) != output.npos) act(i);
}

Result<void> HostFaultPlayer::finish() {
  const std::lock_guard lock(mutex_);
  if (faults_.empty()) return {};
  using Verb = lab::NetFault::Verb;
  std::map<std::string, Verb> left;  // what has to be undone at which host
  for (size_t i = 0; i < faults_.size(); ++i) {
    const lab::NetFault& fault = faults_[i].fault;
    if (!done_[i]) continue;
    if (fault.verb == Verb::pause) left[fault.host] = Verb::resume;
    if (fault.verb == Verb::kill) left[fault.host] = Verb::start;
    if (fault.verb == Verb::resume || fault.verb == Verb::start) left.erase(fault.host);
  }
  for (const auto& [host, verb] : left) (void)lab::apply(state_, lab::NetFault{.verb = verb, .host = host});
  if (state_.network || state_.containers) (void)lab::apply(state_, lab::NetFault{.verb = Verb::heal});
  return problem_;
}

std::vector<unsigned> HostFaultPlayer::never_acted() const {
  const std::lock_guard lock(mutex_);
  std::vector<unsigned> lines;
  for (size_t i = 0; i < faults_.size(); ++i)
    if (!done_[i]) lines.push_back(faults_[i].line);
  return lines;
}

}  // namespace pnfs::scenario
