#include "testbed/scenario/steps.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "common/fault/words.hpp"
#include "common/nfs/op_info.hpp"

namespace pnfs::scenario {

namespace {

struct Verb {
  std::string_view name;
  std::string_view words;
  size_t least, most;  // words behind the name
};
constexpr size_t kAny = 1000;
constexpr Verb kVerbs[] = {
    {"mount", "", 0, 0},
    {"unmount", "", 0, 0},
    {"mkdir", "PATH", 1, 1},
    {"create", "PATH", 1, 1},
    {"open", "PATH [read]", 1, 2},
    {"close", "PATH", 1, 1},
    {"write", "PATH OFFSET LENGTH [mds]", 3, 4},
    {"read", "PATH OFFSET LENGTH [mds]", 3, 4},
    {"commit", "PATH [mds]", 1, 2},
    {"truncate", "PATH SIZE", 2, 2},
    {"layoutget", "PATH READ|RW", 2, 2},
    {"layoutcommit", "PATH", 1, 1},
    {"layoutreturn", "PATH", 1, 1},
    {"stat", "PATH [size=N|links=N|mode=OCTAL ...]", 1, 4},
    {"chmod", "PATH OCTAL", 2, 2},
    {"access", "PATH BITS", 2, 2},
    {"symlink", "PATH TARGET", 2, 2},
    {"readlink", "PATH TARGET", 2, 2},
    {"readdir", "PATH [NAME ...]", 1, kAny},
    {"rename", "PATH PATH", 2, 2},
    {"link", "PATH PATH", 2, 2},
    {"remove", "PATH", 1, 1},
    {"wait", "TIME", 1, 1},
    {"restart", "NODE", 1, 1},
    {"compound", "OP [FIELD=VALUE ...], OP ...", 1, kAny},
};

// "client 2: " in front.
Result<void> take_client(Step& step) {
  if (step.words.empty() || step.words[0] != "client") return {};
  const std::string number = step.words.size() > 1 ? step.words[1] : "";
  if (number.size() != 2 || number[0] < '1' || number[0] > '9' || number[1] != ':')
    return error(Errc::invalid, "'{}': expected the number of a client, 'client 2: stat /f'", number);
  step.client = static_cast<unsigned>(number[0] - '0');
  step.words.erase(step.words.begin(), step.words.begin() + 2);
  return {};
}

Result<void> check_compound(const std::vector<std::string>& words) {
  bool begins = true;
  for (size_t i = 1; i < words.size(); ++i) {
    std::string_view word = words[i];
    const bool ends = word.ends_with(',');
    if (ends) word.remove_suffix(1);
    if (begins && nfs::find_op(word) == nullptr) return error(Errc::invalid, "'{}' is no operation of RFC 8881", word);
    if (!begins && word.find('=') == std::string_view::npos)
      return error(Errc::invalid, "'{}': expected FIELD=VALUE, or a ',' and the next operation", word);
    begins = ends;
  }
  return {};
}

}  // namespace

std::vector<std::string> step_usages() {
  std::vector<std::string> usages;
  for (const Verb& verb : kVerbs) usages.push_back(fmt::format("{} {}", verb.name, verb.words));
  return usages;
}

Result<Step> parse_step(std::string_view line) {
  Step step;
  constexpr std::string_view kArrow = " -> ";
  const size_t arrow = line.rfind(kArrow);
  step.text = std::string(line.substr(0, arrow));
  if (arrow != std::string_view::npos) {
    const std::string_view name = line.substr(arrow + kArrow.size());
    const auto status = name == "OK" ? nfs::NFS4_OK : nfs::status_from_name(name);
    if (!status) return error(Errc::invalid, "'{}' is no status of RFC 8881", name);
    step.expected = *status;
  }
  std::istringstream in(step.text);
  for (std::string word; in >> word;) step.words.push_back(word);
  if (auto good = take_client(step); !good) return good.error();
  if (step.words.empty()) return error(Errc::invalid, "a step was expected");
  const auto verb = std::ranges::find(kVerbs, std::string_view(step.words[0]), &Verb::name);
  if (verb == std::end(kVerbs)) {
    std::vector<std::string_view> names;
    for (const Verb& each : kVerbs) names.push_back(each.name);
    return error(Errc::invalid, "'{}' is no step; there are: {}", step.words[0], fmt::join(names, ", "));
  }
  const size_t given = step.words.size() - 1;
  if (given < verb->least || given > verb->most)
    return error(Errc::invalid, "expected '{} {}'", verb->name, verb->words);
  if (verb->name == "wait" && !fault::parse_duration(step.words[1]))
    return error(Errc::invalid, "'{}': expected a time like 500ms or 2s", step.words[1]);
  if (verb->name == "compound")
    if (auto good = check_compound(step.words); !good) return good.error();
  return step;
}

}  // namespace pnfs::scenario
