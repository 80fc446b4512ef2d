// What a running metadata server is told over its control socket, beside fault rules.
//
//   ds list                     one line for each: NAME STATE draining|serving used|unused ADDRESS[,ADDRESS...]
//   ds drain|undrain NAME       named in no new layout; layouts that name it are recalled
//   ds remove NAME              forgets one that has ended; busy while it is being fenced
//   dlm-device [LINE]           the pnfs_dlm_device lines; with LINE: a new one
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace pnfs::mds {

class Mds;

// The answer's text. Errors: sentences for people.
Result<std::string> run_command(Mds& mds, std::string_view line);

}  // namespace pnfs::mds
