package org.slotwise.api;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * All that users can call: found in the compiled classes, so that what is new is in it by itself.
 */
final class PublicApi {

    private PublicApi() {}

    /** Public types, outer ones included, but for what is internal. */
    static Stream<Class<?>> types() {
        return new ClassFileImporter()
                        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                        .importPackages("org.slotwise")
                        .stream()
                        .filter(c -> !c.getPackageName().equals("org.slotwise.internal"))
                        .filter(c -> !c.getPackageName().equals("org.slotwise.build"))
                        .sorted(Comparator.comparing(JavaClass::getName))
                        .<Class<?>>map(JavaClass::reflect)
                        .filter(PublicApi::isPublic);
    }

    private static boolean isPublic(Class<?> type) {
        for (Class<?> t = type; t != null; t = t.getDeclaringClass()) {
            if (!Modifier.isPublic(t.getModifiers())) {
                return false;
            }
        }
        return !type.isAnonymousClass() && !type.isLocalClass();
    }

    /** Public constructors and methods that a type has code for. */
    static List<Executable> calls(Class<?> type) {
        List<Executable> calls = new ArrayList<>();
        if (!Modifier.isAbstract(type.getModifiers())) {
            calls.addAll(Arrays.asList(type.getConstructors()));
        }
        for (Method method : type.getDeclaredMethods()) {
            boolean ours =
                    Modifier.isPublic(method.getModifiers())
                            && !Modifier.isAbstract(method.getModifiers())
                            && !method.isSynthetic()
                            && !method.getName().equals("equals")
                            && !(type.isEnum() && method.getName().equals("valueOf"));
            if (ours) {
                calls.add(method);
            }
        }
        return calls;
    }

    /** "SlotAttention.Builder.optVariant", or for a constructor the type's name. */
    static String name(Executable call) {
        String named = name(call.getDeclaringClass());
        return call instanceof Constructor ? named : named + "." + call.getName();
    }

    /** "SlotAttention.Builder": a type's name without its package. */
    static String name(Class<?> type) {
        return type.getName().substring(type.getPackageName().length() + 1).replace('$', '.');
    }
}
