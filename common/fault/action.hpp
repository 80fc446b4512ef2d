// The "what" of a rule. Each action is one file in actions/ and one line in action.cpp.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/random.hpp"
#include "common/fault/injector.hpp"
#include "common/fault/vocabulary.hpp"
#include "common/fault/words.hpp"

namespace pnfs::fault {

// What an action may use when its rule fires.
struct Firing {
  Context& context;
  Verdict& verdict;
  Random& random;    // the rule's own, from seed and text
  NodeActor* actor;  // nullptr: nobody carries out what concerns the node
};

class Action {
 public:
  virtual ~Action() = default;
  // False: it could not be done here (the field is in an arm that is not chosen, ...); the rule has then not fired.
  virtual bool apply(Firing& firing) const = 0;
};

// Where the rule acts: what an action's words are checked against.
struct Place {
  const Vocabulary& vocabulary;
  std::vector<const Point*> points;  // of one domain
  Stage stage;

  Domain domain() const { return points.front()->domain; }
  bool is(Domain d, Stage s) const { return domain() == d && stage == s; }
};

struct ActionKind {
  std::string_view name;
  std::string_view usage;    // "return STATUS"
  std::string_view where;    // for the message when it is not allowed at a place
  std::string_view example;  // a whole rule
  bool (*allowed)(const Place& place);
  // `words` is behind the name.
  Result<std::unique_ptr<Action>> (*parse)(Words& words, const Place& place);
};

std::span<const ActionKind* const> action_kinds();
// Takes one action with its words.
Result<std::unique_ptr<Action>> parse_action(Words& words, const Place& place);

// The type of the field that set, resize and stale change: of the arguments before, of the result after. An error says
// at which point of the rule there is no such field. `is_count` for a path that ends in ".count".
Result<const xdr::TypeInfo*> changed_field(const Words& words, const Place& place, std::string_view path,
                                           bool* is_count = nullptr);
// The field itself; no value when it is not there now.
std::optional<xdr::FieldView> find_changed_field(const Context& context, std::string_view path);
// For actions on fields; everything after decoding, not the encoded reply.
bool has_fields(const Place& place);
// For actions on bytes: the encoded reply or callback, or a record as it came.
bool has_bytes(const Place& place);
// For actions on the peer's connection.
bool has_connection(const Place& place);

}  // namespace pnfs::fault
