#include "testbed/scenario/expectation.hpp"

#include <algorithm>
#include <sstream>

namespace pnfs::scenario {

namespace {

constexpr size_t kNearestShown = 5;

std::string show(const trace::OwnedEvent& e) {
  std::string line = fmt::format("{} {}", e.node, e.op);
  for (const auto& [name, value] : {std::pair<const char*, const std::string&>{"iomode", e.iomode},
                                    {"status", e.status},
                                    {"reason", e.reason},
                                    {"fault", e.fault}})
    if (!value.empty()) line += fmt::format(" {}={}", name, value);
  if (e.offset) line += fmt::format(" offset={}", *e.offset);
  if (e.bytes) line += fmt::format(" bytes={}", *e.bytes);
  return line;
}

// The same operation at the same node, whatever its fields: what a reader wants to see when the pattern was not met.
std::string nearest(const Pattern& pattern, const Observed& observed) {
  std::string text;
  size_t total = 0;
  for (const auto& event : observed.events) {
    if (event.kind == trace::Kind::fault || !pattern.loose.matches(trace::to_view(event))) continue;
    if (++total <= kNearestShown) text += "\n    " + show(event);
  }
  if (total == 0) return fmt::format("; the trace has nothing like '{}'", pattern.text);
  return fmt::format("; nearest of {}:{}", total, text);
}

bool holds(Relation relation, uint64_t seen, uint64_t number) {
  return relation == Relation::equal      ? seen == number
         : relation == Relation::at_least ? seen >= number
                                          : seen <= number;
}

std::string unmet_count(const Expectation& e, const Observed& observed) {
  uint64_t seen = 0;
  for (const auto& event : observed.events) seen += matches(e.patterns[0], event) ? 1 : 0;
  if (holds(e.relation, seen, e.number)) return "";
  return fmt::format("seen {} times{}", seen, nearest(e.patterns[0], observed));
}

std::string unmet_order(const Expectation& e, const Observed& observed) {
  size_t next = 0;
  for (const auto& event : observed.events)
    if (next < e.patterns.size() && matches(e.patterns[next], event)) ++next;
  if (next == e.patterns.size()) return "";
  return fmt::format("'{}' did not follow{}", e.patterns[next].text, nearest(e.patterns[next], observed));
}

// From the first of the one to the first of the other behind it, both of which must be there.
std::string unmet_never_between(const Expectation& e, const Observed& observed) {
  bool began = false;
  std::string seen;
  for (const auto& event : observed.events) {
    if (!began) {
      began = matches(e.patterns[0], event);
    } else if (matches(e.patterns[1], event)) {
      return seen;
    } else if (seen.empty() && matches(e.patterns[2], event)) {
      seen = fmt::format("between them was\n    {}", show(event));
    }
  }
  const Pattern& missing = e.patterns[began ? 1 : 0];
  return fmt::format("'{}' was not seen{}", missing.text, nearest(missing, observed));
}

// From the first of the one to the first of the other behind it.
std::string unmet_time(const Expectation& e, const Observed& observed) {
  std::optional<WallTime> began;
  for (const auto& event : observed.events) {
    if (!began) {
      if (matches(e.patterns[0], event)) began = event.ts;
      continue;
    }
    if (!matches(e.patterns[1], event)) continue;
    const Duration passed = std::chrono::seconds(event.ts.seconds - began->seconds) +
                            std::chrono::nanoseconds(int64_t{event.ts.nanoseconds} - int64_t{began->nanoseconds});
    if (e.check == Check::within ? passed <= e.time : passed >= e.time) return "";
    return fmt::format("{:.3f} s passed", std::chrono::duration<double>(passed).count());
  }
  const Pattern& missing = e.patterns[began ? 1 : 0];
  return fmt::format("'{}' was not seen{}", missing.text, nearest(missing, observed));
}

// "\tLAYOUTGET: 3 3 0 ..." of every mount together.
std::string unmet_mountstats(const Expectation& e, const ObservedClient& client) {
  uint64_t seen = 0;
  std::istringstream lines(client.mountstats);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    uint64_t count = 0;
    if (words >> name >> count && name == e.words + ":") seen += count;
  }
  return holds(e.relation, seen, e.number) ? "" : fmt::format("the client counted {}", seen);
}

std::string unmet_client(const Expectation& e, const ObservedClient& client) {
  const auto has = [&](const std::string& text) { return text.find(e.words) != std::string::npos; };
  switch (e.check) {
    case Check::exit_code:
      if (static_cast<uint64_t>(client.exit_code) == e.number) return "";
      return fmt::format("exit code was {}; the client printed:\n{}", client.exit_code, client.output);
    case Check::output_has:
      return has(client.output) ? "" : "the client printed:\n" + client.output;
    case Check::output_lacks:
      return !has(client.output) ? "" : "the client printed:\n" + client.output;
    case Check::kernel_log_clean:
      return client.kernel_problems.empty() ? "" : "the guest's kernel said: " + client.kernel_problems.front();
    case Check::kernel_log_has:
      return has(client.kernel_log) ? "" : "the guest's kernel log does not have it";
    case Check::mountstats_has:
      return has(client.mountstats) ? "" : "mountstats does not have it";
    case Check::mountstats_count:
      return unmet_mountstats(e, client);
    default:
      return "";
  }
}

}  // namespace

bool matches(const Pattern& pattern, const trace::OwnedEvent& event) {
  if (event.kind == trace::Kind::fault && !pattern.of_faults) return false;
  return pattern.whole.matches(trace::to_view(event));
}

bool is_visible(const Expectation& e, const Observed& observed) {
  if (!observed.from_outside) return true;
  switch (e.check) {
    case Check::kernel_log_clean:
    case Check::kernel_log_has:
    case Check::mountstats_has:
    case Check::mountstats_count:
      return false;
    default:
      return !observed.kernel_release.empty() || (!e.since && !e.before);
  }
}

bool applies(const Expectation& e, const Observed& observed) {
  const Version running = parse_version(observed.kernel_release);
  return (!e.since || running >= *e.since) && (!e.before || running < *e.before);
}

std::string unmet(const Expectation& e, const Observed& observed) {
  if (e.negated) {
    Expectation plain = e;
    plain.negated = false;
    return unmet(plain, observed).empty() ? "it is so all the same" : "";
  }
  switch (e.check) {
    case Check::count:
      return unmet_count(e, observed);
    case Check::order:
      return unmet_order(e, observed);
    case Check::never_between:
      return unmet_never_between(e, observed);
    case Check::within:
    case Check::no_sooner:
      return unmet_time(e, observed);
    default:
      break;
  }
  if (e.check == Check::kernel_log_clean) {  // of every client
    for (const ObservedClient& client : observed.clients)
      if (auto seen = unmet_client(e, client); !seen.empty()) return seen;
    return "";
  }
  if (e.client < 1 || e.client > observed.clients.size()) return fmt::format("there is no client {}", e.client);
  return unmet_client(e, observed.clients[e.client - 1]);
}

Expectation inverted(const Expectation& expectation) {
  Expectation e = expectation;
  e.text = "not: " + e.text;
  switch (e.check) {
    case Check::output_has:
      e.check = Check::output_lacks;
      return e;
    case Check::output_lacks:
      e.check = Check::output_has;
      return e;
    case Check::within:
      e.check = Check::no_sooner;
      return e;
    case Check::no_sooner:
      e.check = Check::within;
      return e;
    case Check::exit_code:
      e.number = e.number == 0 ? 1 : 0;
      return e;
    case Check::count:
    case Check::mountstats_count:
      if (e.relation == Relation::at_least && e.number > 0) {
        e.relation = Relation::at_most;
        --e.number;
      } else if (e.relation == Relation::at_most) {
        e.relation = Relation::at_least;
        ++e.number;
      } else {
        // Of "exactly N" the nearest that is wrong.
        e.relation = e.number == 0 ? Relation::at_least : Relation::at_most;
        e.number = e.number == 0 ? 1 : e.number - 1;
      }
      return e;
    default:
      e.negated = true;
      return e;
  }
}

}  // namespace pnfs::scenario
