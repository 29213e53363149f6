package org.slotwise.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Another JVM of the same kind that runs a class of the tests: to be killed, or limited. */
public final class ChildJvm {

    private ChildJvm() {}

    /**
     * What starts it.
     *
     * @param main the class
     * @param options of the JVM
     * @param arguments of the class, as texts
     * @return the command
     */
    public static List<String> command(Class<?> main, List<String> options, Object... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        Arrays.stream(arguments).map(Object::toString).forEach(command::add);
        return command;
    }

    /**
     * Starts it.
     *
     * @return the process, whose output has its errors too
     */
    public static Process start(Class<?> main, List<String> options, Object... arguments)
            throws IOException {
        return new ProcessBuilder(command(main, options, arguments))
                .redirectErrorStream(true)
                .start();
    }

    /** All that it says until it ends; before it a JVM may tell which options it was given. */
    public static String said(Process process) throws IOException {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}
