package org.slotwise.docs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The pages of the documentation, as a reader sees them: code aside, in sections. */
final class Pages {

    private static final Pattern FENCED =
            Pattern.compile("^ *```.*?^ *```", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern HEADING = Pattern.compile("^(#+) +(.*)$", Pattern.MULTILINE);

    private Pages() {}

    /** A heading and what stands under it, subsections included. */
    record Section(String heading, String text) {}

    /** README.md and all pages of docs. */
    static List<Path> all() throws IOException {
        List<Path> files = new ArrayList<>(List.of(Path.of("README.md")));
        try (Stream<Path> docs = Files.walk(Path.of("docs"))) {
            docs.filter(file -> file.toString().endsWith(".md")).sorted().forEach(files::add);
        }
        return List.copyOf(files);
    }

    static String text(Path page) {
        try {
            return Files.readString(page);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String withoutCode(String page) {
        return FENCED.matcher(page).replaceAll("");
    }

    static List<Section> sections(String page) {
        String text = withoutCode(page);
        List<Section> sections = new ArrayList<>();
        Matcher heading = HEADING.matcher(text);
        while (heading.find()) {
            int end = text.length();
            Matcher next = HEADING.matcher(text).region(heading.end(), text.length());
            while (next.find()) {
                if (next.group(1).length() <= heading.group(1).length()) {
                    end = next.start();
                    break;
                }
            }
            sections.add(new Section(heading.group(2), text.substring(heading.start(), end)));
        }
        return List.copyOf(sections);
    }

    /** What links call the headings of a page, by GitHub's rule. */
    static List<String> anchors(String page) {
        List<String> anchors = new ArrayList<>();
        for (Section section : sections(page)) {
            String plain = section.heading().replaceAll("\\[([^]]*)]\\([^)]*\\)", "$1");
            String name =
                    plain.toLowerCase(Locale.ROOT)
                            .replaceAll("[^\\p{L}\\p{N} _-]", "")
                            .replace(' ', '-');
            String anchor = name;
            for (int i = 1; anchors.contains(anchor); i++) {
                anchor = name + "-" + i;
            }
            anchors.add(anchor);
        }
        return List.copyOf(anchors);
    }
}
