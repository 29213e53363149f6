package org.slotwise.virtualgpu;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Where in the library something happened.
 *
 * @param name class and method, without {@code org.slotwise}: of what asked the package {@code
 *     internal} to do it, or in that package if a test asked it
 * @param path the calls that led there with their lines, the innermost first
 */
record Place(String name, String path) {

    private static final String ROOT = "org.slotwise.";
    private static final String INTERNAL = ROOT + "internal.";
    private static final int LINES = 4;

    private static final ClassValue<Boolean> IS_LIBRARY =
            new ClassValue<>() {
                @Override
                protected Boolean computeValue(Class<?> type) {
                    return type.getName().startsWith(ROOT)
                            && type.getProtectionDomain()
                                    .getCodeSource()
                                    .getLocation()
                                    .getPath()
                                    .endsWith("/classes/");
                }
            };

    /** The place that this is called from; nothing if the library has no part in it. */
    static Optional<Place> here() {
        List<StackWalker.StackFrame> frames =
                StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE)
                        .walk(
                                all ->
                                        all.filter(f -> IS_LIBRARY.get(f.getDeclaringClass()))
                                                .toList());
        if (frames.isEmpty()) {
            return Optional.empty();
        }
        StackWalker.StackFrame asked =
                frames.stream()
                        .filter(frame -> !frame.getClassName().startsWith(INTERNAL))
                        .findFirst()
                        .orElse(frames.get(0));
        String path =
                frames.subList(frames.indexOf(asked), frames.size()).stream()
                        .limit(LINES)
                        .map(frame -> name(frame) + ":" + frame.getLineNumber())
                        .collect(Collectors.joining(" < "));
        return Optional.of(new Place(name(asked), path));
    }

    /** Class and method, where those of a lambda or of an inner class are the enclosing ones. */
    private static String name(StackWalker.StackFrame frame) {
        String type = frame.getClassName().substring(ROOT.length()).replaceAll("\\$.*", "");
        return type + "." + frame.getMethodName().replaceAll("^lambda\\$(.+)\\$\\d+$", "$1");
    }
}
