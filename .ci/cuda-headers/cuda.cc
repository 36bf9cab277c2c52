// Our cuda.h, extend.c and the numbers in Go files beside NVIDIA's cuda.h. Compiled only; the lists are made by ../cuda-headers.sh.
#include "like.h"
#include <cstdint>
#include <cstdlib>

#include "rename.h" // every name of ours becomes ours_NAME
#include "trainer/native/cuda/include/cuda.h"
#include "restore.h"

#include <cuda.h>

// Names of types, values and macros.
#define TYPE(name) static_assert(sizeof(ours_##name) == sizeof(name) && std::is_pointer_v<ours_##name> == std::is_pointer_v<name>, #name);
#define VALUE(name) static_assert((long long)ours_##name == (long long)name, #name);
#define FIELD(type, name)                                                                \
	static_assert(offsetof(ours_##type, name) == offsetof(type, name), #type "." #name); \
	static_assert(like<decltype(ours_##type::name), decltype(type::name)>::value, #type "." #name);
#include "types.h"
#include "values.h"
#include "fields.h"
#include "numbers.h" // static_assert(value == NVIDIA's name) for what comments call by it

// NAME(name, symbol): the symbol is the one that this version's header gives to the name, or one of an earlier version, which the
// driver goes on exporting, and which older.txt lists.
#define TEXT(...) #__VA_ARGS__
#define EXPAND(...) TEXT(__VA_ARGS__)
#define NAME(name, symbol) static_assert(same(EXPAND(name), #symbol), #name " is " EXPAND(name) ", not " #symbol);
#include "names.h"
