package org.slotwise.virtualgpu;

import static net.bytebuddy.implementation.bytecode.assign.Assigner.Typing.DYNAMIC;
import static net.bytebuddy.matcher.ElementMatchers.isPublic;
import static net.bytebuddy.matcher.ElementMatchers.isStatic;
import static net.bytebuddy.matcher.ElementMatchers.named;
import static net.bytebuddy.matcher.ElementMatchers.namedOneOf;
import static net.bytebuddy.matcher.ElementMatchers.not;
import static net.bytebuddy.matcher.ElementMatchers.returns;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDArray;
import net.bytebuddy.agent.ByteBuddyAgent;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.matcher.ElementMatcher;

/** Changes the engine so that it believes in a GPU. Nothing is changed unless it is asked for. */
@SuppressWarnings("UnusedVariable") // what the code for the engine assigns is a method's result
public final class VirtualGpu {

    /** The system property by which the Maven profile asks for the GPU. */
    static final String PROPERTY = "slotwise.virtualgpu";

    private static final String ENGINE = "ai.djl.pytorch.";

    private static final String DEVICE_NUMBERS = ENGINE + "engine.PtDeviceType";
    private static final String ENGINES = "ai.djl.engine.Engine";

    private VirtualGpu() {}

    private static boolean isOn() {
        return Boolean.getBoolean(PROPERTY);
    }

    /** Brings the GPU if the system property asks for it. */
    public static void installIfAsked() {
        if (isOn()) {
            install();
        }
    }

    /**
     * Changes the engine's classes. They are loaded before: what the changes are described by
     * refers to them, and no class can be loaded while it is being loaded.
     */
    static void install() {
        load(ENGINE + "jni.JniUtils", ENGINE + "jni.IValueUtils", DEVICE_NUMBERS, ENGINES);
        new AgentBuilder.Default()
                .disableClassFormatChanges()
                .with(AgentBuilder.RedefinitionStrategy.RETRANSFORMATION)
                .with(AgentBuilder.Listener.StreamWriting.toSystemError().withErrorsOnly())
                .type(namedOneOf(ENGINE + "jni.JniUtils", ENGINE + "jni.IValueUtils"))
                .transform(
                        (builder, type, loader, module, domain) ->
                                builder.visit(Advice.to(Giving.class).on(calls(true)))
                                        .visit(Advice.to(Doing.class).on(calls(false))))
                .type(named(DEVICE_NUMBERS))
                .transform(
                        (builder, type, loader, module, domain) ->
                                builder.visit(Advice.to(OnCpu.class).on(named("toDeviceType"))))
                .type(named(ENGINES))
                .transform(
                        (builder, type, loader, module, domain) ->
                                builder.visit(Advice.to(ByDefault.class).on(named("defaultDevice")))
                                        .visit(Advice.to(One.class).on(named("getGpuCount"))))
                .installOn(ByteBuddyAgent.install());
    }

    private static void load(String... names) {
        for (String name : names) {
            try {
                Class.forName(name, false, VirtualGpu.class.getClassLoader());
            } catch (ClassNotFoundException e) {
                throw new LinkageError("the engine is made otherwise now", e);
            }
        }
    }

    /** Native calls that give arrays, or those that do not; without questions about one array. */
    private static ElementMatcher<MethodDescription> calls(boolean giving) {
        ElementMatcher.Junction<MethodDescription> gives =
                returns(PtNDArray.class).or(returns(NDList.class)).or(returns(PtNDArray[].class));
        return isPublic()
                .<MethodDescription>and(isStatic())
                .and(
                        not(
                                namedOneOf(
                                        "getShape",
                                        "getDataType",
                                        "getDevice",
                                        "getLayout",
                                        "isGradMode",
                                        "setGradMode")))
                .and(giving ? gives : not(gives));
    }

    // The code of these is copied into the engine's methods.

    private static final class Giving {
        @Advice.OnMethodEnter
        static void enter(@Advice.Origin("#m") String call, @Advice.AllArguments Object[] given) {
            NativeCalls.before(call, given);
        }

        @Advice.OnMethodExit
        static void exit(
                @Advice.Origin("#m") String call,
                @Advice.AllArguments Object[] given,
                @Advice.Return(readOnly = false, typing = DYNAMIC) Object result) {
            result = NativeCalls.after(call, given, result);
        }
    }

    private static final class Doing {
        @Advice.OnMethodEnter
        static void enter(@Advice.Origin("#m") String call, @Advice.AllArguments Object[] given) {
            NativeCalls.before(call, given);
        }

        @Advice.OnMethodExit
        static void exit(@Advice.Origin("#m") String call, @Advice.AllArguments Object[] given) {
            NativeCalls.after(call, given, null);
        }
    }

    /** All memory that the native layer gives is the CPU's. */
    private static final class OnCpu {
        @Advice.OnMethodExit
        static void exit(@Advice.Return(readOnly = false) int number) {
            number = 0;
        }
    }

    private static final class ByDefault {
        @Advice.OnMethodExit
        static void exit(
                @Advice.This Engine engine, @Advice.Return(readOnly = false) Device device) {
            device = Placement.isOurs(engine) ? Placement.GPU : device;
        }
    }

    private static final class One {
        @Advice.OnMethodExit
        static void exit(@Advice.This Engine engine, @Advice.Return(readOnly = false) int count) {
            count = Placement.isOurs(engine) ? 1 : count;
        }
    }
}
