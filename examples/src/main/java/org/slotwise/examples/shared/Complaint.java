package org.slotwise.examples.shared;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

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

    /**
     * The option whose file or folder a message is about, or lies in; null for none. Of several
     * that it names that is the last, "a.png: its mask b/a.png is missing", and of those that lie
     * in each other the inner one.
     */
    private static @Nullable String option(String message, CommandSpec command) {
        List<Mention> mentions =
                command.options().stream()
                        .filter(option -> option.getValue() instanceof Path)
                        .map(option -> Mention.of(option.longestName(), option.getValue(), message))
                        .filter(mention -> mention.at() >= 0)
                        .toList();
        OptionalInt last = mentions.stream().filter(Mention::whole).mapToInt(Mention::at).max();
        return mentions.stream()
                .filter(mention -> last.isEmpty() || mention.at() == last.getAsInt())
                .max(Comparator.comparing(Mention::length))
                .map(Mention::option)
                .orElse(null);
    }

    /**
     * Where a message names an option's path, or a folder above it.
     *
     * @param option whose path it is
     * @param whole whether it is the path itself that is named
     * @param at where, the last time; -1 for nowhere
     * @param length how much of the path is named, more if all is
     */
    private record Mention(String option, boolean whole, int at, int length) {

        static Mention of(String option, Path path, String message) {
            Path absolute = path.toAbsolutePath().normalize();
            int length = absolute.toString().length();
            int at = lastNamed(path.toString(), message);
            at = Math.max(at, lastNamed(absolute.toString(), message));
            if (at >= 0) {
                return new Mention(option, true, at, length + 1);
            }
            Path above = absolute.getParent();
            while (above != null && above.getNameCount() > 0 && at < 0) {
                length = above.toString().length();
                at = lastNamed(above.toString(), message);
                above = above.getParent();
            }
            return new Mention(option, false, at, length);
        }
    }

    private static int lastNamed(String path, String message) {
        boolean bare = !path.contains("/") && !path.contains("\\");
        String before = bare ? BEFORE : "(?<![\\w./\\\\-])";
        int at = -1;
        if (!path.isEmpty()) {
            Matcher named =
                    Pattern.compile(before + "(" + Pattern.quote(path) + ")(?![\\w.-])")
                            .matcher(message);
            while (named.find()) {
                at = named.start(1);
            }
        }
        return at;
    }
}
