#include "testbed/scenario/scenario.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "testbed/lab/daemon.hpp"
#include "testbed/lab/fault_rules.hpp"

namespace pnfs::scenario {

namespace {

namespace fs = std::filesystem;

std::string trimmed(std::string text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

class Parser {
 public:
  explicit Parser(const std::string& file) { scenario_.file = file; }

  Result<Scenario> run(std::string_view text) {
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
      ++number_;
      if (auto done = take(line); !done) {
        return error(Errc::invalid, "{}:{}: {}", scenario_.file, number_, done.error().reason);
      }
    }
    if (scenario_.id.empty()) return error(Errc::invalid, "{}: has no 'id:' line", scenario_.file);
    if (scenario_.expectations.empty())
      return error(Errc::invalid, "{}: expects nothing; add an [expect] section", scenario_.file);
    if (scenario_.clients.empty() == scenario_.steps.empty())
      return error(Errc::invalid, "{}: needs a [client] script or [steps] of the built-in client, not both",
                   scenario_.file);
    const size_t clients = std::max<size_t>(1, scenario_.clients.size());
    for (const Expectation& e : scenario_.expectations)
      if (e.client < 1 || e.client > clients)
        return error(Errc::invalid, "{}:{}: there is no [client {}]", scenario_.file, e.line, e.client);
    return std::move(scenario_);
  }

 private:
  Result<void> take(const std::string& line) {
    if (line.starts_with('[')) {
      section_ = line;
      for (const char* plain : {"[lab]", "[faults]", "[hosts]", "[steps]", "[expect]", "[kernels]", "[planted]"})
        if (line == plain) return {};
      const std::string next = fmt::format("[client {}]", scenario_.clients.size() + 1);
      if (line == next || (line == "[client]" && scenario_.clients.empty())) {
        section_ = "[client]";
        scenario_.clients.emplace_back();
        return {};
      }
      return error(Errc::invalid,
                   "'{}': expected [lab], [faults], [hosts], [steps], [expect], [kernels], [planted] or {}", line,
                   next);
    }
    if (section_ == "[client]") return take_client(line);
    const std::string words = trimmed(line);
    if (section_.empty()) return take_head(line);
    if (words.empty() || words.starts_with('#')) return {};
    if (section_ == "[lab]") return take_lab(words);
    if (section_ == "[faults]") return take_fault(words, scenario_.faults);
    if (section_ == "[planted]") return take_fault(words, scenario_.planted);
    if (section_ == "[steps]") return take_step(words);
    if (section_ == "[kernels]") return take_verdict(words);
    if (section_ == "[hosts]") return take_host_fault(words);
    auto expectation = parse_expectation(words);
    if (!expectation) return expectation.error();
    expectation->line = number_;
    scenario_.expectations.push_back(std::move(*expectation));
    return {};
  }

  Result<void> take_head(const std::string& line) {
    const size_t colon = line.find(": ");
    const std::string key = in_prose_ || colon == line.npos ? "" : line.substr(0, colon);
    if (key == "id") {
      scenario_.id = trimmed(line.substr(colon + 2));
    } else if (key == "title") {
      scenario_.title = trimmed(line.substr(colon + 2));
    } else if (key == "bug") {
      scenario_.bug = trimmed(line.substr(colon + 2));
    } else if (key == "tags") {
      std::istringstream words(line.substr(colon + 2));
      for (std::string tag; words >> tag;) scenario_.tags.push_back(tag);
    } else {
      in_prose_ = true;
      scenario_.prose += line + "\n";
    }
    return {};
  }

  static Result<void> number(const std::string& value, unsigned& out, unsigned min, unsigned max) {
    const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), out);
    if (ec != std::errc{} || end != value.data() + value.size() || out < min || out > max)
      return error(Errc::invalid, "'{}' is not a whole number from {} to {}", value, min, max);
    return {};
  }

  Result<void> take_lab(const std::string& words) {
    const size_t equal = words.find('=');
    if (equal == words.npos) return error(Errc::invalid, "'{}': expected key = value", words);
    const std::string key = trimmed(words.substr(0, equal)), value = trimmed(words.substr(equal + 1));
    if (key == "data-servers") return number(value, scenario_.data_servers, 1, 16);
    if (key == "lease-seconds") return number(value, scenario_.lease_seconds, 1, 3600);
    if (key == "timeout-seconds") return number(value, scenario_.timeout_seconds, 1, 3600);
    if (key == "mount-timeout-seconds") return number(value, scenario_.mount_timeout_seconds, 1, 3600);
    if (key == "profile") {
      scenario_.profile = value;
    } else if (key == "topology") {
      if (value != "loopback" && value != "hosts")
        return error(Errc::invalid, "topology '{}': expected loopback or hosts", value);
      scenario_.topology = value;
    } else if (key == "cache") {
      scenario_.cache = value;
    } else if (key == "vers") {
      scenario_.vers = value;
    } else if (key == "mount-options") {
      scenario_.mount_options = value;
    } else if (key == "since-kernel") {
      scenario_.since_kernel = parse_version(value);
      if (scenario_.since_kernel.empty()) return error(Errc::invalid, "'{}' is no kernel's release", value);
    } else if (key == "kernel-arguments") {
      std::istringstream each(value);
      for (std::string word; each >> word;) scenario_.kernel_arguments.push_back(word);
    } else {
      return error(Errc::invalid,
                   "'{}': expected profile, topology, data-servers, lease-seconds, cache, vers, mount-options, "
                   "mount-timeout-seconds, since-kernel, kernel-arguments or timeout-seconds",
                   key);
    }
    return {};
  }

  Result<void> take_step(const std::string& words) {
    auto step = parse_step(words);
    if (!step) return step.error();
    step->line = number_;
    scenario_.steps.push_back(std::move(*step));
    return {};
  }

  Result<void> take_fault(const std::string& words, std::vector<FaultLine>& into) {
    const auto rule = fault::parse_rule(words, lab::lab_vocabulary());
    if (!rule) return rule.error();
    into.push_back({number_, words});
    return {};
  }

  // "6.1.176 red"
  Result<void> take_verdict(const std::string& words) {
    std::istringstream in(words);
    std::string release, verdict, more;
    in >> release >> verdict >> more;
    const Version version = parse_version(release);
    if (version.size() < 2 || (verdict != "red" && verdict != "green") || !more.empty())
      return error(Errc::invalid, "'{}': expected a kernel's release and red or green, '6.1.176 red'", words);
    scenario_.verdicts.push_back({version, verdict == "red"});
    return {};
  }

  Result<void> take_host_fault(const std::string& words) {
    auto fault = parse_host_fault(words);
    if (!fault) return fault.error();
    fault->line = number_;
    scenario_.host_faults.push_back(std::move(*fault));
    return {};
  }

  Result<void> take_client(const std::string& line) {
    scenario_.clients.back() += line + "\n";
    return {};
  }

  Scenario scenario_;
  std::string section_;
  bool in_prose_ = false;
  unsigned number_ = 0;
};

}  // namespace

namespace {

// Above the program: in a source tree, or where an installation with this prefix put them.
std::string scenarios_folder() {
  fs::path folder = lab::program_folder();
  while (folder.has_relative_path()) {
    for (const char* place : {"testbed/scenarios", "share/pnfslab/scenarios"})
      if (fs::is_directory(folder / place)) return folder / place;
    folder = folder.parent_path();
  }
  return "/usr/share/pnfslab/scenarios";
}

// Of a word of the command line: a path, or an id or a folder of the scenarios that came with this program.
std::string place_of(const std::string& word) {
  if (fs::exists(word) || word.find('/') != word.npos || word.ends_with(".scn")) return word;
  const fs::path top = scenarios_folder();
  if (fs::is_directory(top / word)) return top / word;
  if (fs::exists(top / (word + ".scn"))) return top / (word + ".scn");
  std::error_code failed;
  for (const auto& folder : fs::directory_iterator(top, failed))
    if (fs::exists(folder.path() / (word + ".scn"))) return folder.path() / (word + ".scn");
  return top / (word + ".scn");
}

}  // namespace

bool Scenario::has_tag(std::string_view tag) const {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

std::vector<std::string> Scenario::rules() const {
  std::vector<std::string> all;
  for (const FaultLine& fault : faults) all.push_back(fault.rule);
  if (!bug_planted.empty()) all.push_back(bug_planted);
  return all;
}

std::optional<bool> Scenario::known_red(std::string_view release) const {
  const Version running = parse_version(release);
  const KernelVerdict* nearest = nullptr;
  for (const KernelVerdict& v : verdicts) {
    const bool same_series = running.size() >= 2 && v.release[0] == running[0] && v.release[1] == running[1];
    if (same_series && v.release <= running && (nearest == nullptr || nearest->release < v.release)) nearest = &v;
  }
  if (nearest != nullptr) return nearest->red;
  return std::nullopt;
}

Result<Scenario> parse_scenario(std::string_view text, const std::string& file) {
  return Parser(file).run(text);
}

Result<Scenario> load_scenario(const std::string& path) {
  std::ifstream in(path);
  if (!in) return error(Errc::invalid, "cannot read the scenario '{}': {}", path, std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  return parse_scenario(text.str(), path);
}

Result<std::vector<Scenario>> load_all(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& word : paths) {
    const std::string path = place_of(word);
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(path))
      if (entry.path().extension() == ".scn") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) return error(Errc::invalid, "no scenario (*.scn) found");
  std::vector<Scenario> scenarios;
  std::map<std::string, std::string> ids;
  for (const std::string& file : files) {
    auto scenario = load_scenario(file);
    if (!scenario) return scenario.error();
    const auto [other, fresh] = ids.emplace(scenario->id, file);
    if (!fresh) return error(Errc::invalid, "{} and {} have the same id '{}'", other->second, file, scenario->id);
    scenarios.push_back(std::move(*scenario));
  }
  return scenarios;
}

}  // namespace pnfs::scenario
