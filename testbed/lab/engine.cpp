#include "testbed/lab/engine.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace pnfs::lab {

namespace {

namespace http = boost::beast::http;
using boost::asio::local::stream_protocol;
using nlohmann::json;

constexpr std::chrono::seconds kTimeout{60};
constexpr size_t kMostBody = 8 << 20;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += std::isalnum(static_cast<unsigned char>(c)) ? std::string(1, c)
                                                       : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

}  // namespace

Result<Engine::Answer> Engine::ask(const std::string& method, const std::string& path, const std::string& body) {
  boost::asio::io_context context;
  boost::beast::basic_stream<stream_protocol> stream(context);
  http::request<http::string_body> request(http::string_to_verb(method), path, 11);
  request.set(http::field::host, "docker");
  request.set(http::field::connection, "close");
  if (!body.empty()) request.set(http::field::content_type, "application/json");
  request.body() = body;
  request.prepare_payload();
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMostBody);
  boost::system::error_code failed;
  stream.expires_after(kTimeout);
  stream.async_connect(stream_protocol::endpoint(socket_), [&](boost::system::error_code ec) {
    if ((failed = ec)) return;
    http::async_write(stream, request, [&](boost::system::error_code wrote, size_t) {
      if ((failed = wrote)) return;
      http::async_read(stream, buffer, parser, [&](boost::system::error_code read, size_t) { failed = read; });
    });
  });
  context.run();
  if (failed)
    return error(Errc::refused, "no Docker engine answers at {}: {} (is its socket mounted?)", socket_,
                 failed.message());
  return Answer{parser.get().result_int(), parser.get().body()};
}

Result<void> Engine::call(const std::string& method, const std::string& path, const json& body, json* value) {
  const auto answer = ask(method, path, body.is_null() ? "" : body.dump());
  if (!answer) return answer.error();
  json parsed = json::parse(answer->body, nullptr, false);
  std::string words = answer->body;
  if (parsed.is_object()) words = parsed.value("message", words);
  if (value != nullptr) *value = std::move(parsed);
  if (answer->status < 300 || answer->status == 304) return {};
  return error(answer->status == 404   ? Errc::not_found
               : answer->status == 409 ? Errc::busy
                                       : Errc::refused,
               "the Docker engine says: {}", words);
}

Result<std::string> Engine::project_of(const std::string& host_name) {
  json about;
  if (auto done = call("GET", "/containers/" + escaped(host_name) + "/json", nullptr, &about); !done)
    return done.error();
  try {
    return about.at("Config").at("Labels").at("com.docker.compose.project").get<std::string>();
  } catch (const json::exception&) {
    return error(Errc::not_found, "this container was not started by docker-compose");
  }
}

Result<std::string> Engine::container(const std::string& project, const std::string& service) {
  const json filters{
      {"label", json::array({"com.docker.compose.project=" + project, "com.docker.compose.service=" + service})}};
  json found;
  const std::string path = "/containers/json?all=1&filters=" + escaped(filters.dump());
  if (auto done = call("GET", path, nullptr, &found); !done) return done.error();
  if (!found.is_array() || found.empty())
    return error(Errc::not_found, "the project {} has no container of the service {}", project, service);
  return found.front().value("Id", "");
}

Result<void> Engine::act(const std::string& container, const std::string& verb) {
  return call("POST", "/containers/" + container + "/" + verb);
}

Result<void> Engine::disconnect(const std::string& container, const std::string& network) {
  return call("POST", "/networks/" + network + "/disconnect", {{"Container", container}, {"Force", true}});
}

Result<void> Engine::connect(const std::string& container, const std::string& network, const std::string& address,
                             const std::string& alias) {
  const json place{{"IPAMConfig", {{"IPv4Address", address}}}, {"Aliases", json::array({alias})}};
  return call("POST", "/networks/" + network + "/connect", {{"Container", container}, {"EndpointConfig", place}});
}

Result<void> Engine::run_in_network_of(const std::string& container, const std::string& image,
                                       const std::string& script) {
  const json host{{"NetworkMode", "container:" + container}, {"CapAdd", json::array({"NET_ADMIN"})}};
  const json what{{"Image", image},
                  {"Entrypoint", json::array({"/bin/sh", "-c"})},
                  {"Cmd", json::array({script})},
                  {"HostConfig", host}};
  json made, ended;
  if (auto done = call("POST", "/containers/create", what, &made); !done) return done;
  const std::string helper = "/containers/" + made.value("Id", "");
  auto done = call("POST", helper + "/start");
  if (done) done = call("POST", helper + "/wait", nullptr, &ended);
  const auto said = ask("GET", helper + "/logs?stdout=1&stderr=1", "");
  (void)call("DELETE", helper + "?force=1");
  if (!done) return done;
  if (ended.value("StatusCode", 1) == 0) return {};
  // Each piece of the log has a header of eight bytes.
  const std::string words = said && said->body.size() > 8 ? said->body.substr(8) : "";
  return error(Errc::io, "in the network of the container: {}", words);
}

}  // namespace pnfs::lab
