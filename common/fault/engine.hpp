// The rules of one node at work. One engine per node, used from its one thread.
//
// The same seed, rules and sequence of consultations give the same decisions: each rule draws from a source of its own,
// made from the seed and its text, so that adding or removing another rule changes nothing for it.
#pragma once

#include <functional>
#include <list>
#include <map>

#include "common/fault/rule.hpp"

namespace pnfs::fault {

using RuleId = uint32_t;  // from 1, never reused

struct RuleState {
  RuleId id = 0;
  std::string text;
  bool here = true;      // names this node
  uint64_t matched = 0;  // times its conditions held
  uint64_t hits = 0;     // times it acted
};

class Engine final : public Injector {
 public:
  struct Options {
    std::string node;
    uint64_t seed = 0;
    NodeActor* actor = nullptr;  // for recall, restart, hang, kill; without one those never fire
  };
  // vocabulary, clock and actor must outlive the engine.
  Engine(const Vocabulary& vocabulary, const Clock& clock, Options options);
  ~Engine() override;

  // Errors as parse_rule says them. A rule for another node is kept and listed, and does nothing.
  Result<RuleId> add(std::string_view text);
  bool remove(RuleId id);
  void clear();
  std::vector<RuleState> list() const;

  // For a process that replaces itself: the rules with their numbers, counts and ages as text, and back. What has acted
  // `once` does not act again in the process's next life. The sources of chance begin anew.
  std::string save() const;
  Result<void> restore(std::string_view saved);

  Verdict consult(Context& context) override;

  // Called for each rule that acted: what the trace records as an event of kind "fault".
  std::function<void(const RuleState&, const Context&)> on_hit;

 private:
  struct Entry;
  bool fires(Entry& entry, const Context& context);
  void update_places();

  const Vocabulary& vocabulary_;
  const Clock& clock_;
  Options options_;
  RuleId next_id_ = 1;
  std::list<Entry> entries_;  // ascending ids
};

}  // namespace pnfs::fault
