package org.slotwise.examples.shared;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * What a failure is called to somebody who typed a command: by the option that it came from, and
 * without the library's names for its classes.
 *
 * <p>An exception of the library says first who throws it, "ObjectDiscoveryModel: cannot load m",
 * which helps who writes a program; who runs one knows the file m, and gave it by --model.
 */
final class Complaint {

    /** A class of two words at least, "StateDict: ", perhaps with one inside. */
    private static final Pattern WHO =
            Pattern.compile(
                    "(?<=^|: |because of )(?:[A-Z][a-z0-9]+){2,}(?:\\.[A-Z][A-Za-z0-9]*)*: ");

    /** What to call in Java: "; optLeaveOutOtherKinds passes them over". */
    private static final Pattern OPTION = Pattern.compile("; opt[A-Z][A-Za-z]+ [^;]*");

    /** How picocli lists what an option may be: by the names that Java has for it. */
    private static final Pattern ONE_OF =
            Pattern.compile("expected one of \\[([^]]*)] \\(case-insensitive\\)");

    /** What stands before a path that is no more than a name. */
    private static final String BEFORE =
            "(?:^|the folder |pictures, got \\d+ in |must be TorchScript, "
                    + "|cannot (?:load|write|read) )";

    /** What Java says of a file whose name it has no letters for. */
    private static final String NO_LETTERS = "unmappable characters";

    /** How picocli says which option it was. */
    private static final Pattern OF_OPTION = Pattern.compile("for option '(--[a-z-]+)'");

    private Complaint() {}

    /**
     * Puts a failure in the user's terms.
     *
     * @param message what an exception says
     * @param command the command that failed
     */
    static String of(String message, CommandSpec command) {
        if (message.contains(NO_LETTERS)) {
            return noLetters(message);
        }
        String plain = withoutClasses(typed(message), command);
        String option = option(plain, command);
        return option == null || plain.startsWith("--") || plain.contains(option)
                ? plain
                : option + ": " + plain;
    }

    /** Java takes names by the character set of where it is started, often ASCII in containers. */
    private static String noLetters(String message) {
        Matcher option = OF_OPTION.matcher(message);
        return (option.find() ? option.group(1) + ": " : "")
                + "a name of a file has letters that the character set here, "
                + System.getProperty("sun.jnu.encoding")
                + ", does not have; LC_ALL=C.UTF-8 in the environment gives it all";
    }

    /** The values of an option as {@code --help} lists them, each once. */
    private static String typed(String message) {
        Matcher list = ONE_OF.matcher(message);
        if (!list.find()) {
            return message;
        }
        List<String> values =
                Arrays.stream(list.group(1).split(", "))
                        .map(value -> value.toLowerCase(Locale.ROOT))
                        .toList();
        List<String> once =
                values.stream()
                        .filter(
                                value ->
                                        !value.contains("_")
                                                || !values.contains(value.replace('_', '-')))
                        .distinct()
                        .toList();
        return list.replaceFirst(
                Matcher.quoteReplacement("expected one of " + String.join(", ", once)));
    }

    private static String withoutClasses(String message, CommandSpec command) {
        Matcher who = WHO.matcher(message);
        StringBuilder plain = new StringBuilder();
        while (who.find()) {
            String name = who.group().substring(0, who.group().length() - 2);
            boolean given =
                    command.options().stream()
                            .anyMatch(
                                    option ->
                                            String.valueOf(option.<Object>getValue())
                                                    .contains(name));
            who.appendReplacement(plain, given ? Matcher.quoteReplacement(who.group()) : "");
        }
        return OPTION.matcher(who.appendTail(plain)).replaceAll("");
    }

    /** The option whose file or folder a message is about, or lies in; null for none. */
    private static @Nullable String option(String message, CommandSpec command) {
        String named = null;
        int longest = 0;
        for (OptionSpec option : command.options()) {
            if (option.getValue() instanceof Path path) {
                int length = mentioned(path, message);
                if (length > longest) {
                    longest = length;
                    named = option.longestName();
                }
            }
        }
        return named;
    }

    /** How much of a path a message names: its length, less where only a folder above is named. */
    private static int mentioned(Path path, String message) {
        List<String> names = new ArrayList<>(List.of(path.toString()));
        Path whole = path.toAbsolutePath().normalize();
        names.add(whole.toString());
        for (String name : names) {
            if (isNamed(name, message)) {
                return whole.toString().length() + 1;
            }
        }
        for (Path above = whole.getParent(); above != null; above = above.getParent()) {
            if (above.getNameCount() > 0 && isNamed(above.toString(), message)) {
                return above.toString().length();
            }
        }
        return 0;
    }

    private static boolean isNamed(String path, String message) {
        boolean bare = !path.contains("/") && !path.contains("\\");
        String before = bare ? BEFORE : "(?<![\\w./\\\\-])";
        return !path.isEmpty()
                && Pattern.compile(before + Pattern.quote(path) + "(?![\\w.-])")
                        .matcher(message)
                        .find();
    }
}
