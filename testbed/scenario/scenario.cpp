#include "testbed/scenario/scenario.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

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
    if (scenario_.script.empty()) return error(Errc::invalid, "{}: has no [client] script", scenario_.file);
    return std::move(scenario_);
  }

 private:
  Result<void> take(const std::string& line) {
    if (line.starts_with('[')) {
      section_ = line;
      if (line == "[lab]" || line == "[client]" || line == "[faults]" || line == "[expect]") return {};
      return error(Errc::invalid, "'{}': expected [lab], [faults], [client] or [expect]", line);
    }
    if (section_ == "[client]") return take_client(line);
    const std::string words = trimmed(line);
    if (section_.empty()) return take_head(line);
    if (words.empty() || words.starts_with('#')) return {};
    if (section_ == "[lab]") return take_lab(words);
    if (section_ == "[faults]") return take_fault(words);
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
    if (key == "profile") {
      scenario_.profile = value;
    } else if (key == "cache") {
      scenario_.cache = value;
    } else if (key == "mount-options") {
      scenario_.mount_options = value;
    } else {
      return error(Errc::invalid,
                   "'{}': expected profile, data-servers, lease-seconds, cache, mount-options or timeout-seconds", key);
    }
    return {};
  }

  Result<void> take_fault(const std::string& words) {
    const size_t colon = words.find(':');
    if (colon == words.npos) return error(Errc::invalid, "'{}': expected NODE: RULE", words);
    scenario_.faults.push_back({trimmed(words.substr(0, colon)), trimmed(words.substr(colon + 1))});
    return {};
  }

  Result<void> take_client(const std::string& line) {
    scenario_.script += line + "\n";
    return {};
  }

  Scenario scenario_;
  std::string section_;
  bool in_prose_ = false;
  unsigned number_ = 0;
};

}  // namespace

bool Scenario::has_tag(std::string_view tag) const {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
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
  for (const std::string& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(path))
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
