// A Docker engine, asked over its Unix socket: as much of its HTTP API as faults between containers need. Works without
// the docker program, which a container does not have.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/base/result.hpp"

namespace pnfs::lab {

class Engine {
 public:
  explicit Engine(std::string socket) : socket_(std::move(socket)) {}

  // Of the compose project in which the container with this host name runs.
  Result<std::string> project_of(const std::string& host_name);
  // The container of a service; ended ones count.
  Result<std::string> container(const std::string& project, const std::string& service);
  // "pause", "unpause", "kill", "start".
  Result<void> act(const std::string& container, const std::string& verb);
  Result<void> disconnect(const std::string& container, const std::string& network);
  Result<void> connect(const std::string& container, const std::string& network, const std::string& address,
                       const std::string& alias);
  // A shell script in the network of a running container, in a container of its own that has NET_ADMIN there.
  Result<void> run_in_network_of(const std::string& container, const std::string& image, const std::string& script);

 private:
  struct Answer {
    unsigned status = 0;
    std::string body;
  };
  Result<Answer> ask(const std::string& method, const std::string& path, const std::string& body);
  // not_found, busy or refused, with the engine's own words.
  Result<void> call(const std::string& method, const std::string& path, const nlohmann::json& body = nullptr,
                    nlohmann::json* value = nullptr);

  std::string socket_;
};

}  // namespace pnfs::lab
