#include "common/base/config.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace pnfs {

struct ConfigFile::State {
  std::string name;
  toml::table root;
  std::set<std::string> known;  // "mds.lease_seconds", and the names of tables that were asked for
  std::vector<Error> problems;

  void problem(const toml::node& at, const std::string& key, const std::string& what) {
    problems.push_back(error(Errc::invalid, "{}:{}: {}: {}", name, at.source().begin.line, key, what));
  }
};

namespace {

std::string join(const std::string& table, std::string_view key) {
  return table.empty() ? std::string(key) : table + "." + std::string(key);
}

// Walks every key that the file has and reports those nobody asked for.
void find_unknown(const toml::table& table, const std::string& prefix, const std::set<std::string>& known,
                  const std::string& file, std::vector<Error>& problems) {
  for (const auto& [key, node] : table) {
    const std::string full = join(prefix, key.str());
    if (!known.contains(full)) {
      problems.push_back(error(Errc::invalid, "{}:{}: {}: unknown key; remove it or check its spelling", file,
                               key.source().begin.line, full));
    } else if (const auto* inner = node.as_table()) {
      find_unknown(*inner, full, known, file, problems);
    }
  }
}

}  // namespace

ConfigFile::ConfigFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
ConfigFile::ConfigFile(ConfigFile&&) noexcept = default;
ConfigFile& ConfigFile::operator=(ConfigFile&&) noexcept = default;
ConfigFile::~ConfigFile() = default;

Result<ConfigFile> ConfigFile::load(const std::string& path) {
  std::ifstream in(path);
  if (!in) return error(Errc::not_found, "cannot read the configuration file '{}': {}", path, std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  return parse(text.str(), path);
}

Result<ConfigFile> ConfigFile::parse(std::string_view text, std::string name) {
  auto state = std::make_unique<State>();
  state->name = std::move(name);
  try {
    state->root = toml::parse(text, state->name);
  } catch (const toml::parse_error& e) {
    return error(Errc::invalid, "{}:{}:{}: {}", state->name, e.source().begin.line, e.source().begin.column,
                 e.description());
  }
  return ConfigFile(std::move(state));
}

ConfigReader ConfigFile::table(const std::string& name) {
  if (name.empty()) return ConfigReader(*this, name, &state_->root);
  // Every prefix of a dotted name is a table of the file too.
  for (size_t dot = name.find('.'); dot != name.npos; dot = name.find('.', dot + 1))
    state_->known.insert(name.substr(0, dot));
  state_->known.insert(name);
  const auto node = state_->root.at_path(name);
  if (!node) return ConfigReader(*this, name, nullptr);
  if (!node.is_table()) {
    state_->problem(*node.node(), name, "must be a table, [" + name + "]");
    return ConfigReader(*this, name, nullptr);
  }
  return ConfigReader(*this, name, node.as_table());
}

Result<void> ConfigFile::finish() {
  find_unknown(state_->root, "", state_->known, state_->name, state_->problems);
  if (state_->problems.empty()) return {};
  return state_->problems.front();
}

const void* ConfigReader::find(std::string_view key) {
  file_->state_->known.insert(join(name_, key));
  if (table_ == nullptr) return nullptr;
  return static_cast<const toml::table*>(table_)->get(key);
}

void ConfigReader::value(std::string_view key, std::string& out) {
  const auto* node = static_cast<const toml::node*>(find(key));
  if (node == nullptr) return;
  if (const auto text = node->value_exact<std::string>()) {
    out = *text;
  } else {
    file_->state_->problem(*node, join(name_, key), "must be a text in quotes");
  }
}

void ConfigReader::value(std::string_view key, bool& out) {
  const auto* node = static_cast<const toml::node*>(find(key));
  if (node == nullptr) return;
  if (const auto flag = node->value_exact<bool>()) {
    out = *flag;
  } else {
    file_->state_->problem(*node, join(name_, key), "must be true or false");
  }
}

void ConfigReader::value(std::string_view key, std::vector<std::string>& out) {
  const auto* node = static_cast<const toml::node*>(find(key));
  if (node == nullptr) return;
  const auto* array = node->as_array();
  std::vector<std::string> texts;
  for (size_t i = 0; array != nullptr && i < array->size(); ++i) {
    const auto text = array->get(i)->value_exact<std::string>();
    if (!text) array = nullptr;
    if (text) texts.push_back(*text);
  }
  if (array == nullptr) return file_->state_->problem(*node, join(name_, key), "must be a list of texts");
  out = std::move(texts);
}

void ConfigReader::choice(std::string_view key, std::string& out, std::vector<std::string_view> allowed) {
  const auto* node = static_cast<const toml::node*>(find(key));
  if (node == nullptr) return;
  std::string text;
  value(key, text);
  if (std::find(allowed.begin(), allowed.end(), text) != allowed.end()) {
    out = text;
  } else {
    file_->state_->problem(*node, join(name_, key),
                           fmt::format("'{}' is not one of: {}", text, fmt::join(allowed, ", ")));
  }
}

bool ConfigReader::integer(std::string_view key, int64_t& out, int64_t min, int64_t max) {
  const auto* node = static_cast<const toml::node*>(find(key));
  if (node == nullptr) return false;
  const auto number = node->value_exact<int64_t>();
  if (!number || *number < min || *number > max) {
    file_->state_->problem(*node, join(name_, key), fmt::format("must be a whole number from {} to {}", min, max));
    return false;
  }
  out = *number;
  return true;
}

}  // namespace pnfs
