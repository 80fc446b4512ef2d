// pnfslab target show: IET's two state views, /proc/net/iet/volume and session, of the running target.
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "testbed/cli/command.hpp"
#include "testbed/lab/lab_state.hpp"

namespace pnfs::cli {

namespace {

struct TargetShowOptions {
  std::string state = lab::default_state_folder();
  std::string from;
  std::string view;
  bool as_json = false;
};

// "tid:1 name:iqn..." into an object. A path comes last and may hold blanks.
nlohmann::json parse_view_line(std::string_view line) {
  nlohmann::json out = nlohmann::json::object();
  while (!line.empty()) {
    const size_t colon = line.find(':');
    if (colon == line.npos) break;
    const std::string key(line.substr(0, colon));
    const size_t end = key == "path" ? line.size() : std::min(line.find(' ', colon), line.size());
    const std::string value(line.substr(colon + 1, end - colon - 1));
    const bool number = !value.empty() && value.size() < 19 && value.find_first_not_of("0123456789") == value.npos;
    if (number && key != "name" && key != "path") {
      out[key] = std::stoull(value);
    } else {
      out[key] = value;
    }
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return out;
}

// Targets; below each, by one tab, its LUNs or sessions; below a session, by two, its connections.
nlohmann::json parse_view(const std::string& text) {
  nlohmann::json out = nlohmann::json::array();
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t depth = std::min(line.find_first_not_of('\t'), line.size());
    nlohmann::json entry = parse_view_line(std::string_view(line).substr(depth));
    if (depth == 0) {
      out.push_back(entry);
    } else if (depth == 1 && !out.empty()) {
      out.back()[entry.contains("lun") ? "luns" : "sessions"].push_back(entry);
    } else if (depth == 2 && !out.empty() && out.back().contains("sessions")) {
      out.back()["sessions"].back()["connections"].push_back(entry);
    }
  }
  return out;
}

// Where the target keeps the two files.
Result<std::string> views_folder(const TargetShowOptions& options) {
  if (!options.from.empty()) return options.from;
  const auto state = lab::load_state(options.state);
  if (!state) return state.error();
  const lab::Server* target = state->find("target");
  if (target == nullptr)
    return error(Errc::not_found, "this lab has no target of its own; its volume is {}", state->store_url);
  if (!lab::is_running(*target))
    return error(Errc::closed, "the target is gone; see {}", state->log_file(target->name));
  return state->views_folder();
}

int target_show(const TargetShowOptions& options) {
  const auto folder = views_folder(options);
  if (!folder) return report("target show", folder.error());
  nlohmann::json all = nlohmann::json::object();
  for (const std::string& name : {std::string("volume"), std::string("session")}) {
    if (!options.view.empty() && options.view != name) continue;
    std::ifstream in(*folder + "/" + name);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (!in) {
      return report("target show", error(Errc::not_found, "there is no {}/{}; was the target started with --state {}?",
                                         *folder, name, *folder));
    }
    if (options.as_json) {
      all[name] = parse_view(text);
    } else {
      fmt::print("{}{}", options.view.empty() ? "-- " + name + "\n" : "", text);
    }
  }
  if (options.as_json) fmt::print("{}\n", all.dump(2));
  return 0;
}

}  // namespace

void add_target(CLI::App& app, Action& action) {
  auto* target = app.add_subcommand("target", "The emulated iSCSI target\nExample: pnfslab target show session");
  target->require_subcommand(1);
  auto* show = target->add_subcommand("show",
                                      "IET's state views: which LUNs there are, and who is logged in\n"
                                      "Example: pnfslab target show session");
  auto options = std::make_shared<TargetShowOptions>();
  show->add_option("view", options->view, "volume or session; both unless told")
      ->check(CLI::IsMember({"volume", "session"}));
  show->add_option("--state", options->state, "The lab's state folder")->capture_default_str();
  show->add_option("--from", options->from, "The folder of a pnfs-target that was started with --state FOLDER");
  show->add_flag("--json", options->as_json, "Machine-readable");
  show->callback([options, &action] { action = [options] { return target_show(*options); }; });
}

}  // namespace pnfs::cli
