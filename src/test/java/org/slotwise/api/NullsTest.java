package org.slotwise.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.slotwise.grouping.SlotAttention;

/**
 * Every argument of every public method and constructor that may not be null is refused by name if
 * it is: {@code org.slotwise.build.NullRule}.
 */
class NullsTest {

    @TestFactory
    Stream<DynamicTest> nullsAreRefusedByName() {
        return PublicApi.types()
                .filter(type -> !PublicApi.calls(type).isEmpty())
                .map(type -> dynamicTest(type.getSimpleName(), () -> check(type)));
    }

    private static void check(Class<?> type) {
        List<String> faults = new ArrayList<>();
        for (Executable call : PublicApi.calls(type)) {
            for (int i = 0; i < call.getParameterCount(); i++) {
                if (mustBeGiven(call, i)) {
                    String expected =
                            PublicApi.name(call)
                                    + ": "
                                    + call.getParameters()[i].getName()
                                    + " must not be null";
                    String got = withNullAt(call, i);
                    if (!expected.equals(got)) {
                        faults.add(expected + "; got " + got);
                    }
                }
            }
        }
        assertEquals(List.of(), faults);
    }

    private static boolean mustBeGiven(Executable call, int parameter) {
        return !call.getParameterTypes()[parameter].isPrimitive()
                && !call.getAnnotatedParameterTypes()[parameter].isAnnotationPresent(
                        Nullable.class);
    }

    /** What a call says with something in each place before, and null from there on. */
    private static String withNullAt(Executable call, int parameter) {
        Class<?>[] types = call.getParameterTypes();
        Object[] arguments = new Object[types.length];
        for (int i = 0; i < types.length; i++) {
            arguments[i] =
                    i < parameter || types[i].isPrimitive() ? BareObjects.of(types[i]) : null;
        }
        try {
            if (call instanceof Constructor<?> constructor) {
                constructor.newInstance(arguments);
            } else {
                Object on =
                        Modifier.isStatic(call.getModifiers())
                                ? null
                                : BareObjects.of(call.getDeclaringClass());
                ((Method) call).invoke(on, arguments);
            }
            return "no error";
        } catch (InvocationTargetException e) {
            Throwable cause = e.getCause();
            return cause instanceof IllegalArgumentException
                    ? cause.getMessage()
                    : String.valueOf(cause);
        } catch (IllegalAccessException | InstantiationException e) {
            throw new LinkageError(e.getMessage(), e);
        }
    }

    @Test
    void thereIsSomethingToCheck() {
        assertTrue(PublicApi.types().count() > 150);
        assertTrue(PublicApi.types().mapToInt(type -> PublicApi.calls(type).size()).sum() > 700);
    }

    @Test
    void whatMayBeNullIsTaken() {
        assertThrows(
                IllegalArgumentException.class, () -> SlotAttention.builder().optVariant(null));
        SlotAttention.builder().setDim(4).setFeatureDim(4).build();
    }
}
