package org.slotwise.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every relative link of README.md and docs leads to a file, and every anchor to a heading. */
class LinksTest {

    private static final Pattern LINK = Pattern.compile("\\[[^]]*]\\(([^)\\s]+)\\)");
    private static final Pattern INLINE_CODE = Pattern.compile("`[^`\n]*`");

    static List<Path> pages() throws IOException {
        return Pages.all();
    }

    /** The links of a page that lead nowhere. */
    private static List<String> broken(Path page) {
        List<String> broken = new ArrayList<>();
        String text = INLINE_CODE.matcher(Pages.withoutCode(Pages.text(page))).replaceAll("code");
        Matcher link = LINK.matcher(text);
        while (link.find()) {
            String target = link.group(1);
            if (!target.matches("[a-z]+:.*") && !resolves(page, target)) {
                broken.add(target);
            }
        }
        return broken;
    }

    private static boolean resolves(Path page, String target) {
        int hash = target.indexOf('#');
        String file = hash < 0 ? target : target.substring(0, hash);
        Path path = file.isEmpty() ? page : page.resolveSibling(file).normalize();
        return Files.exists(path)
                && (hash < 0
                        || Pages.anchors(Pages.text(path)).contains(target.substring(hash + 1)));
    }

    @ParameterizedTest
    @MethodSource("pages")
    void linksLeadSomewhere(Path page) {
        assertEquals(List.of(), broken(page), page + " has links that lead nowhere");
    }

    @Test
    void theIndexHasAllPages() throws IOException {
        String index = Pages.text(Path.of("docs", "modules.md"));
        try (Stream<Path> pages = Files.list(Path.of("docs", "modules"))) {
            assertEquals(
                    List.of(),
                    pages.map(page -> "(modules/" + page.getFileName() + ")")
                            .filter(link -> !index.contains(link))
                            .toList());
        }
    }

    @Test
    void brokenLinksAreFound(@TempDir Path folder) throws IOException {
        Path page = folder.resolve("page.md");
        Files.writeString(folder.resolve("other.md"), "# Other\n## K-means, again `opt`\n");
        Files.writeString(
                page,
                """
                # Page
                [good](other.md) [good](other.md#k-means-again-opt) [also
                good](#page) [elsewhere](https://example.org/#none) `[code](none.md)`
                [no file](none.md) [no heading](other.md#none) ![no
                picture](none.png) [none here](#other)
                ```
                [code](none.md)
                # not a heading
                ```
                """);
        assertEquals(List.of("none.md", "other.md#none", "none.png", "#other"), broken(page));
        assertTrue(Pages.anchors("# A\n# A\n").contains("a-1"));
    }
}
