// like<Ours, Theirs>: what we declare is passed as what NVIDIA declares. We write int for enums and void * for handles.
#include <cstddef>
#include <type_traits>

template <class T> constexpr bool number = std::is_enum_v<T> || std::is_integral_v<T>;

template <class A, class B> constexpr bool alike() {
	if constexpr (std::is_same_v<A, B>)
		return true;
	else if constexpr (number<A> ? number<B> : std::is_class_v<A> && std::is_class_v<B>)
		return sizeof(A) == sizeof(B) && alignof(A) == alignof(B);
	else
		return false;
}

template <class A, class B> struct like {
	static constexpr bool value = alike<A, B>();
};
template <class A, class B> struct like<A *, B *> { // structs behind pointers may be known by name only
	using a = std::remove_cv_t<A>;
	using b = std::remove_cv_t<B>;
	static constexpr bool value = std::disjunction_v<std::is_void<a>, std::conjunction<std::is_class<a>, std::is_class<b>>, like<a, b>>;
};
template <class R, class... P, class S, class... Q> struct like<R(P...), S(Q...)> {
	static constexpr bool value = [] {
		if constexpr (sizeof...(P) == sizeof...(Q))
			return like<R, S>::value && (like<P, Q>::value && ...);
		else
			return false;
	}();
};

constexpr bool same(const char *a, const char *b) { return *a == *b && (*a == 0 || same(a + 1, b + 1)); }
