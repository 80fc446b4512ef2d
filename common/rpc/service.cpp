#include "common/rpc/service.hpp"

#include <stdexcept>

namespace pnfs::rpc {

void Dispatcher::add(Service& service) {
  for (const Service* other : services_)
    if (other->program() == service.program()) throw std::logic_error("two services for one RPC program");
  services_.push_back(&service);
}

std::optional<io::Task<void>> Dispatcher::begin(Request& request) {
  for (Service* service : services_) {
    if (service->program() != request.program()) continue;
    if (request.version() < service->lowest_version() || request.version() > service->highest_version()) {
      request.reply_version_mismatch(service->lowest_version(), service->highest_version());
    } else if (request.procedure() == 0) {
      request.begin_reply();  // RFC 5531 12: by convention every program has it, without authentication
    } else if (request.header().credential_status != AUTH_OK) {
      request.reply_auth_error(request.header().credential_status);
    } else {
      return service->begin(request);
    }
    return std::nullopt;
  }
  request.reply_error(PROG_UNAVAIL);
  return std::nullopt;
}

}  // namespace pnfs::rpc
