package org.slotwise.docs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every public type stands in a page of its package, docs/modules/package.md or
 * docs/modules/package-part.md: a nested one with the name of the type that it is in. Every public
 * method that sets an option stands there in a section whose heading names its type. Code does not
 * count: what is only used there is not explained.
 */
class DocumentedTest {

    private static final String ROOT = "org.slotwise.";
    private static final Pattern OPTION = Pattern.compile("(set|opt)[A-Z]\\w*");

    @Test
    void everythingPublicIsDocumented() {
        Iterable<JavaClass> classes =
                new ClassFileImporter()
                        .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                        .importPackages("org.slotwise");
        assertEquals("", undocumented(classes, DocumentedTest::pages));
    }

    @Test
    void whatIsMissingIsFound() {
        Iterable<JavaClass> made =
                new ClassFileImporter()
                        .importClasses(
                                MadeUp.class,
                                MadeUp.Kind.class,
                                MadeUp.Builder.class,
                                MadeUp.Inner.class);
        String type = "docs: MadeUp\n";
        String kind = "docs: MadeUp.Kind\n";
        String option = "docs: MadeUp.optEps, under a heading with MadeUp\n";
        assertEquals(type + kind + option, undocumented(made, name -> List.of()));
        assertEquals(
                type + kind + option,
                undocumented(made, name -> List.of("# MadeUpon\n`optEps`\n```\nMadeUp.Kind\n```")));
        assertEquals(
                option,
                undocumented(
                        made,
                        name -> List.of("# All\n## MadeUp\nMadeUp.Kind\n## Other\n`optEps`\n")));
        assertEquals(
                "",
                undocumented(
                        made, name -> List.of("# All\n## MadeUp\nMadeUp.Kind\n### More\noptEps")));
    }

    /** One line for each thing that no page of its package has. */
    private static String undocumented(
            Iterable<JavaClass> classes, Function<String, List<String>> pages) {
        TreeSet<String> missing = new TreeSet<>();
        for (JavaClass type : classes) {
            String name = type.getPackageName().substring(ROOT.length());
            if (!isPublic(type) || Set.of("internal", "build").contains(name)) {
                continue;
            }
            List<Pages.Section> sections =
                    pages.apply(name).stream().flatMap(p -> Pages.sections(p).stream()).toList();
            boolean builder = type.getSimpleName().equals("Builder");
            String full = fullName(type);
            if (!builder && sections.stream().noneMatch(s -> names(s.text(), full))) {
                missing.add(name + ": " + full);
            }
            String owner = builder ? fullName(type.getEnclosingClass().orElseThrow()) : full;
            for (JavaMethod method : type.getAllMethods()) {
                String option = method.getName();
                if (isOption(method)
                        && sections.stream()
                                .filter(s -> names(s.heading(), owner))
                                .noneMatch(s -> names(s.text(), option))) {
                    missing.add(
                            name + ": " + owner + "." + option + ", under a heading with " + owner);
                }
            }
        }
        StringBuilder lines = new StringBuilder();
        missing.forEach(line -> lines.append(line).append('\n'));
        return lines.toString();
    }

    private static boolean isPublic(JavaClass type) {
        return type.getModifiers().contains(JavaModifier.PUBLIC)
                && !type.isAnonymousClass()
                && type.getEnclosingClass().map(DocumentedTest::isPublic).orElse(true);
    }

    private static boolean isOption(JavaMethod method) {
        return method.getModifiers().contains(JavaModifier.PUBLIC)
                && !method.getModifiers().contains(JavaModifier.BRIDGE)
                && method.getOwner().getPackageName().startsWith(ROOT)
                && OPTION.matcher(method.getName()).matches();
    }

    /** With the names of the types that it is in. */
    private static String fullName(JavaClass type) {
        return type.getEnclosingClass().map(outer -> fullName(outer) + ".").orElse("")
                + type.getSimpleName();
    }

    private static boolean names(String text, String word) {
        return Pattern.compile("(?<!\\w)" + Pattern.quote(word) + "(?!\\w)").matcher(text).find();
    }

    /** The pages of a package, by its name without org.slotwise. */
    private static List<String> pages(String name) {
        Pattern file = Pattern.compile(Pattern.quote(name) + "(-[a-z-]+)?\\.md");
        try (Stream<Path> pages = Files.list(Path.of("docs", "modules"))) {
            return pages.filter(page -> file.matcher(page.getFileName().toString()).matches())
                    .sorted()
                    .map(Pages::text)
                    .toList();
        } catch (IOException e) {
            throw new AssertionError("docs/modules cannot be read", e);
        }
    }
}
