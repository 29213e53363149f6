package org.slotwise.examples;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A package a program, or the programs that work with one's own pictures: none knows another one,
 * unless that one's model is its subject.
 */
class PackagesTest {

    private static final String HERE = "org.slotwise.examples";

    private static final JavaClasses MAIN =
            new ClassFileImporter()
                    .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                    .importPackages(HERE);

    /** Edits change what discover finds; groupings are compared in the model that is ablated. */
    private static final Map<String, String> SUBJECTS =
            Map.of("edit", "discover", "compare", "ablate");

    private static List<String> programs() {
        return Slotwise.command().subcommands().values().stream()
                .map(program -> program.getCommand().getClass().getPackageName())
                .map(name -> name.substring(HERE.length() + 1))
                .distinct()
                .toList();
    }

    @Test
    void everyPackageIsAProgramOrShared() {
        TreeSet<String> expected = new TreeSet<>(programs());
        expected.add("shared");
        assertEquals(
                expected,
                MAIN.stream()
                        .map(JavaClass::getPackageName)
                        .filter(name -> !name.equals(HERE))
                        .map(name -> name.substring(HERE.length() + 1))
                        .collect(Collectors.toCollection(TreeSet::new)));
    }

    @ParameterizedTest
    @MethodSource("programs")
    void aProgramKnowsItselfAndWhatIsShared(String program) {
        List<String> known = new ArrayList<>(List.of(program, "shared"));
        if (SUBJECTS.containsKey(program)) {
            known.add(SUBJECTS.get(program));
        }
        onlyKnows(program, known);
    }

    @Test
    void whatIsSharedKnowsNoProgram() {
        onlyKnows("shared", List.of("shared"));
    }

    private static void onlyKnows(String one, List<String> known) {
        List<String> others = new ArrayList<>(programs());
        others.add("shared");
        others.removeAll(known);
        classes()
                .that()
                .resideInAPackage(HERE + "." + one)
                .should()
                .onlyDependOnClassesThat()
                .resideOutsideOfPackages(
                        others.stream().map(name -> HERE + "." + name).toArray(String[]::new))
                .andShould()
                .onlyDependOnClassesThat()
                .resideOutsideOfPackage(HERE)
                .check(MAIN);
    }

    @Test
    void noCycles() {
        slices().matching(HERE + ".(*)..").should().beFreeOfCycles().check(MAIN);
    }
}
