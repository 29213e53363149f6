package org.slotwise.build;

import net.bytebuddy.asm.AsmVisitorWrapper;
import net.bytebuddy.build.Plugin;
import net.bytebuddy.description.annotation.AnnotationDescription;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.description.method.ParameterDescription;
import net.bytebuddy.description.type.TypeDescription;
import net.bytebuddy.dynamic.ClassFileLocator;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.implementation.Implementation;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.jar.asm.Type;
import net.bytebuddy.matcher.ElementMatchers;
import net.bytebuddy.pool.TypePool;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.NullsRefused;

/**
 * The rule on nulls, in one place: what is not marked {@code @Nullable} is refused if it is null,
 * by name, at every public method and constructor of every public type. An array or a manager that
 * was closed is as good as none, and is refused as well.
 *
 * <p>The packages are {@code @NullMarked}: sources and Javadoc say which arguments may be null, and
 * NullAway holds our own code to it. This says the same to callers who are not checked. Maven runs
 * it on the compiled classes; it puts a call of {@code Check.given} for each argument before
 * anything else happens, {@code Check.open} where it may be null.
 */
public final class NullRule implements Plugin {

    private static final String CHECK = "org/slotwise/internal/Check";

    /** Creates the rule. */
    public NullRule() {}

    /** {@inheritDoc} */
    @Override
    public boolean matches(@Nullable TypeDescription type) {
        return type != null && isPublic(type) && isOurs(type) && !isDone(type);
    }

    private static boolean isOurs(TypeDescription type) {
        String name = type.getName();
        return name.startsWith("org.slotwise.")
                && !name.startsWith("org.slotwise.internal.")
                && !name.startsWith("org.slotwise.build.");
    }

    private static boolean isPublic(TypeDescription type) {
        for (TypeDescription t = type; t != null; t = t.getDeclaringType()) {
            if (!t.isPublic()) {
                return false;
            }
        }
        return true;
    }

    /** Classes that did not change since the last build are done already. */
    private static boolean isDone(TypeDescription type) {
        return type.getDeclaredAnnotations().isAnnotationPresent(NullsRefused.class);
    }

    /** {@inheritDoc} */
    @Override
    public DynamicType.Builder<?> apply(
            DynamicType.Builder<?> builder, TypeDescription type, ClassFileLocator locator) {
        return builder.annotateType(
                        AnnotationDescription.Builder.ofType(NullsRefused.class).build())
                .visit(
                        new AsmVisitorWrapper.ForDeclaredMethods()
                                .invokable(
                                        ElementMatchers.isPublic()
                                                .and(
                                                        ElementMatchers.not(
                                                                ElementMatchers.isSynthetic()))
                                                .and(
                                                        ElementMatchers.not(
                                                                ElementMatchers.isAbstract()))
                                                .and(
                                                        ElementMatchers.not(
                                                                ElementMatchers.isEquals())),
                                        NullRule::checked));
    }

    /** {@inheritDoc} */
    @Override
    public void close() {}

    private static MethodVisitor checked(
            TypeDescription type,
            MethodDescription method,
            MethodVisitor visitor,
            Implementation.Context context,
            TypePool pool,
            int writerFlags,
            int readerFlags) {
        return new MethodVisitor(Opcodes.ASM9, visitor) {
            @Override
            public void visitCode() {
                super.visitCode();
                for (ParameterDescription parameter : method.getParameters()) {
                    boolean given = mustBeGiven(parameter);
                    if (given || mustBeOpen(parameter)) {
                        visitVarInsn(Opcodes.ALOAD, parameter.getOffset());
                        visitLdcInsn(who(type, method) + ": " + parameter.getName());
                        visitMethodInsn(
                                Opcodes.INVOKESTATIC,
                                CHECK,
                                given ? "given" : "open",
                                Type.getMethodDescriptor(
                                        Type.VOID_TYPE,
                                        Type.getType(Object.class),
                                        Type.getType(String.class)),
                                false);
                    }
                }
            }

            @Override
            public void visitMaxs(int maxStack, int maxLocals) {
                super.visitMaxs(Math.max(maxStack, 2), maxLocals);
            }
        };
    }

    /** Whether it is something that can be closed. */
    private static boolean mustBeOpen(ParameterDescription parameter) {
        return parameter.getType().asErasure().getName().startsWith("ai.djl.ndarray.ND");
    }

    private static boolean mustBeGiven(ParameterDescription parameter) {
        return !parameter.getType().isPrimitive()
                && !parameter
                        .getType()
                        .getDeclaredAnnotations()
                        .isAnnotationPresent(Nullable.class);
    }

    /** "SlotAttention.Builder.optVariant", or for a constructor "FeatureExtractorOutput". */
    private static String who(TypeDescription type, MethodDescription method) {
        String name = type.getName();
        String simple = name.substring(name.lastIndexOf('.') + 1).replace('$', '.');
        return method.isConstructor() ? simple : simple + "." + method.getName();
    }
}
