package org.slotwise.api;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/** Calls by reflection that throw what was thrown. */
final class Reflected {

    private Reflected() {}

    /** Calls a method or a constructor, and returns what it gives. */
    static @Nullable Object call(Executable call, @Nullable Object on, @Nullable Object... with)
            throws Throwable {
        try {
            if (call instanceof Constructor<?> constructor) {
                return constructor.newInstance(with);
            }
            call.setAccessible(true); // builders' common methods are in classes that are not public
            return ((Method) call).invoke(on, with);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    /** What a builder builds. */
    static Object build(Object builder) {
        try {
            Object built = call(builder.getClass().getMethod("build"), builder);
            if (built == null) {
                throw new IllegalStateException(builder + " built null");
            }
            return built;
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether there is something that it builds. */
    static boolean isBuilder(Class<?> type) {
        return type.getSimpleName().equals("Builder");
    }
}
