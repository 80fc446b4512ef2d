#include "common/fault/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace pnfs::fault {

namespace {

uint64_t hash_of(std::string_view text) {  // FNV-1a: the same on every machine
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

struct Engine::Entry {
  Rule rule;
  RuleState state;
  TimePoint added;
  SeededRandom random;
};

Engine::Engine(const Vocabulary& vocabulary, const Clock& clock, Options options)
    : vocabulary_(vocabulary), clock_(clock), options_(std::move(options)) {}

Engine::~Engine() = default;

Result<RuleId> Engine::add(std::string_view text) {
  auto rule = parse_rule(text, vocabulary_);
  if (!rule) return rule.error();
  // Two rules of the same text draw from different sources.
  const auto twins =
      static_cast<uint64_t>(std::ranges::count_if(entries_, [&](const Entry& e) { return e.rule.text == rule->text; }));
  RuleState state{.id = next_id_++, .text = rule->text, .here = rule->names_node(options_.node)};
  const uint64_t seed = options_.seed ^ (hash_of(rule->text) + twins);
  entries_.push_back({std::move(*rule), std::move(state), clock_.now(), SeededRandom(seed)});
  update_places();
  return entries_.back().state.id;
}

bool Engine::remove(RuleId id) {
  const auto removed = std::erase_if(entries_, [&](const Entry& e) { return e.state.id == id; });
  update_places();
  return removed != 0;
}

void Engine::clear() {
  entries_.clear();
  update_places();
}

std::vector<RuleState> Engine::list() const {
  std::vector<RuleState> out;
  for (const Entry& e : entries_) out.push_back(e.state);
  return out;
}

std::string Engine::save() const {
  std::string out;
  for (const Entry& e : entries_)
    out += fmt::format("{} {} {} {} {}\n", e.state.id, e.state.matched, e.state.hits,
                       (clock_.now() - e.added) / std::chrono::milliseconds(1), e.state.text);
  return out;
}

Result<void> Engine::restore(std::string_view saved) {
  std::istringstream lines{std::string(saved)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    RuleState counts;
    int64_t age_ms = 0;
    words >> counts.id >> counts.matched >> counts.hits >> age_ms >> std::ws;
    if (!words || !std::getline(words, counts.text)) return error(Errc::corrupt, "\"{}\" is no saved rule", line);
    next_id_ = std::max(next_id_, counts.id);
    auto added = add(counts.text);
    if (!added) return added.error();
    Entry& entry = entries_.back();
    entry.state.matched = counts.matched;
    entry.state.hits = counts.hits;
    entry.added -= std::chrono::milliseconds(age_ms);
  }
  return {};
}

void Engine::update_places() {
  places_ = 0;
  for (const Entry& e : entries_) {
    if (!e.state.here) continue;
    const auto place = static_cast<unsigned>(e.rule.points.front()->domain) * 3 + static_cast<unsigned>(e.rule.stage);
    places_ |= uint32_t{1} << place;
  }
}

bool Engine::fires(Entry& entry, const Context& context) {
  const Rule& rule = entry.rule;
  if (!entry.state.here || rule.stage != context.stage || rule.points.front()->domain != context.domain) return false;
  if (rule.limits.times != 0 && entry.state.hits >= rule.limits.times) return false;
  const Duration age = clock_.now() - entry.added;
  if (age < rule.limits.from || (rule.limits.until && age >= *rule.limits.until)) return false;
  if (!rule.names_point(context)) return false;
  if (!std::ranges::all_of(rule.conditions, [&](const Condition& c) { return c.holds(context); })) return false;
  const uint64_t count = ++entry.state.matched;
  if (rule.limits.nth != 0 && count != rule.limits.nth) return false;
  if (count % rule.limits.every != 0) return false;
  return rule.limits.probability >= 1'000'000 || entry.random.below(1'000'000) < rule.limits.probability;
}

Verdict Engine::consult(Context& context) {
  // What concerns the node comes last: a node that is gone records nothing.
  struct Notes final : NodeActor {
    std::vector<NodeAction> actions;
    void perform(const NodeAction& action) override { actions.push_back(action); }
  } notes;
  Verdict verdict;
  for (Entry& entry : entries_) {
    if (!fires(entry, context)) continue;
    Firing firing{context, verdict, entry.random, options_.actor != nullptr ? &notes : nullptr};
    bool acted = false;
    for (const auto& action : entry.rule.actions) acted = action->apply(firing) || acted;
    if (!acted) continue;
    ++entry.state.hits;
    verdict.rule += fmt::format("{}rule {}: {}", verdict.rule.empty() ? "" : "; ", entry.state.id, entry.state.text);
    if (on_hit) on_hit(entry.state, context);
  }
  for (const NodeAction& action : notes.actions) options_.actor->perform(action);
  return verdict;
}

}  // namespace pnfs::fault
