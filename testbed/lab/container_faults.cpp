#include "testbed/lab/container_faults.hpp"

#include <unistd.h>

#include <cstdlib>

#include "testbed/lab/engine.hpp"

namespace pnfs::lab {

namespace {

using Verb = NetFault::Verb;

// Has nft and tc, and is there when the lab is.
constexpr const char* kToolsImage = "pnfslab-client";

Result<Engine> engine_here() {
  const char* chosen = std::getenv("DOCKER_HOST");
  std::string_view where = chosen != nullptr && *chosen != '\0' ? chosen : "unix:///var/run/docker.sock";
  constexpr std::string_view kUnix = "unix://";
  if (!where.starts_with(kUnix))
    return error(Errc::unsupported, "DOCKER_HOST is '{}'; only an engine at unix://PATH can be asked", where);
  return Engine(std::string(where.substr(kUnix.size())));
}

Result<std::string> project(Engine& engine) {
  if (const char* chosen = std::getenv("COMPOSE_PROJECT_NAME"); chosen != nullptr && *chosen != '\0') return chosen;
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return engine.project_of(name);
}

class Applier {
 public:
  Applier(Engine engine, std::string project, const NetFault& fault)
      : engine_(std::move(engine)), project_(std::move(project)), fault_(fault) {}

  Result<void> to(const Host& host) {
    const auto container = engine_.container(project_, host.name);
    if (!container) return container.error();
    switch (fault_.verb) {
      case Verb::pause:
        return engine_.act(*container, "pause");
      case Verb::resume:
        return engine_.act(*container, "unpause");
      case Verb::kill:
        return engine_.act(*container, "kill");
      case Verb::start:
        return engine_.act(*container, "start");
      case Verb::partition:
        return unplug(*container, host);
      case Verb::heal:
        if (auto done = plug_in(*container, host); !done) return done;
        break;
      default:
        break;
    }
    return engine_.run_in_network_of(*container, kToolsImage, host_script(fault_, host));
  }

 private:
  std::string full_name(const std::string& network) const { return project_ + "_" + network; }

  // One that is unplugged already stays so.
  Result<void> unplug(const std::string& container, const Host& host) {
    for (const std::string& network : networks_of(fault_, host)) {
      auto done = engine_.disconnect(container, full_name(network));
      if (!done && done.error().reason.find("is not connected") == std::string::npos) return done;
    }
    return {};
  }

  Result<void> plug_in(const std::string& container, const Host& host) {
    for (const std::string& network : networks_of(fault_, host)) {
      const std::string& address = network == "san" ? host.san : host.nfs;
      auto done = engine_.connect(container, full_name(network), address, host.name);
      if (!done && done.error().reason.find("already exists") == std::string::npos) return done;
    }
    return {};
  }

  Engine engine_;
  std::string project_;
  const NetFault& fault_;
};

}  // namespace

Result<void> apply_to_containers(const LabState& lab, const NetFault& fault) {
  auto engine = engine_here();
  if (!engine) return engine.error();
  auto name = project(*engine);
  if (!name) return name.error();
  Applier applier(std::move(*engine), std::move(*name), fault);
  for (const Host& host : hosts_with(lab.data_servers())) {
    const bool meant = fault.host.empty() ? lab.find(host.name) != nullptr : host.name == fault.host;
    if (!meant || (fault.host.empty() && networks_of(fault, host).empty())) continue;
    if (auto done = applier.to(host); !done) return done.error().with_context(host.name);
  }
  return {};
}

}  // namespace pnfs::lab
