package org.slotwise.api;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.bytebuddy.ByteBuddy;
import net.bytebuddy.implementation.FixedValue;
import net.bytebuddy.implementation.StubMethod;
import net.bytebuddy.matcher.ElementMatchers;
import org.objenesis.Objenesis;
import org.objenesis.ObjenesisStd;

/**
 * Objects of any type that were never constructed: good for nothing but to be no null, and to call
 * a method on that complains before it looks at anything.
 */
final class BareObjects {

    private static final Map<Class<?>, Object> PRIMITIVES =
            Map.of(
                    boolean.class,
                    false,
                    byte.class,
                    (byte) 0,
                    short.class,
                    (short) 0,
                    char.class,
                    ' ',
                    int.class,
                    0,
                    long.class,
                    0L,
                    float.class,
                    0f,
                    double.class,
                    0.0);

    private static final Objenesis OBJENESIS = new ObjenesisStd();

    private BareObjects() {}

    /** An object that may stand where the type is expected. */
    static Object of(Class<?> type) {
        if (type.isPrimitive()) {
            return PRIMITIVES.get(type);
        }
        if (type.isArray()) {
            return Array.newInstance(type.getComponentType(), 0);
        }
        if (type.isEnum()) {
            return type.getEnumConstants()[0];
        }
        if (type == Class.class) {
            return Object.class;
        }
        if (type == String.class || type == Object.class || type == CharSequence.class) {
            return "";
        }
        if (type == Path.class) {
            return Path.of("nowhere");
        }
        if (type == List.class || type == Collection.class) {
            return List.of();
        }
        if (type == Set.class) {
            return Set.of();
        }
        if (type == Map.class) {
            return Map.of();
        }
        return OBJENESIS.newInstance(concrete(type));
    }

    private static Class<?> concrete(Class<?> type) {
        if (!Modifier.isAbstract(type.getModifiers())) {
            return type;
        }
        if (type.isSealed()) {
            return concrete(type.getPermittedSubclasses()[0]);
        }
        Constructor<?>[] constructors = type.getDeclaredConstructors();
        boolean hidden =
                constructors.length > 0
                        && Arrays.stream(constructors)
                                .allMatch(c -> Modifier.isPrivate(c.getModifiers()));
        if (hidden) {
            throw new IllegalArgumentException(type + " cannot be extended");
        }
        return new ByteBuddy()
                .subclass(type)
                .method(ElementMatchers.isAbstract())
                .intercept(StubMethod.INSTANCE)
                .method(ElementMatchers.named("isOpen"))
                .intercept(FixedValue.value(true))
                .make()
                .load(
                        type.getClassLoader() == null
                                ? BareObjects.class.getClassLoader()
                                : type.getClassLoader())
                .getLoaded();
    }
}
