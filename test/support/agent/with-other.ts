/** The same object, with some of its methods in other hands. */
export function withOther<T extends object>(object: T, other: Partial<T>): T {
  return new Proxy(object, {
    get: (target, property) => {
      const replaced: unknown = Reflect.get(other, property);
      if (replaced !== undefined) return replaced;
      const member: unknown = Reflect.get(target, property, target);
      return typeof member === 'function'
        ? (...args: unknown[]): unknown => Reflect.apply(member, target, args)
        : member;
    },
  });
}
