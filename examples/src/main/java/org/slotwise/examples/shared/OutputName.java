package org.slotwise.examples.shared;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;

/**
 * Where a command writes is its {@code --out} or its {@code --output}: whichever of the two it does
 * not have stands for the other.
 */
final class OutputName {

    private static final List<String> NAMES = List.of("--out", "--output");

    private OutputName() {}

    /** Arguments in which the option is called as its command calls it. */
    static String[] known(CommandLine program, String... args) {
        CommandLine command = program;
        List<String> known = new ArrayList<>();
        for (String arg : args) {
            CommandLine inside = command.getSubcommands().get(arg);
            command = inside == null ? command : inside;
            known.add(known(command, arg));
        }
        return known.toArray(String[]::new);
    }

    private static String known(CommandLine command, String arg) {
        int end = arg.indexOf('=');
        String name = end < 0 ? arg : arg.substring(0, end);
        int which = NAMES.indexOf(name);
        if (which < 0 || has(command, name)) {
            return arg;
        }
        String other = NAMES.get(1 - which);
        return has(command, other) ? other + arg.substring(name.length()) : arg;
    }

    private static boolean has(CommandLine command, String name) {
        return command.getCommandSpec().findOption(name) != null;
    }
}
