package org.slotwise.virtualgpu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** All copies between host and GPU on behalf of the library, by place. */
final class Crossings {

    private static final Map<String, Integer> SEEN = new TreeMap<>();
    private static final List<String> FAULTS = new ArrayList<>();

    private Crossings() {}

    /** Writes a copy down, if the library has a part in it. */
    static void record(Direction direction) {
        Optional<Place> here = Place.here();
        if (here.isPresent()) {
            record(direction, here.get());
        }
    }

    private static synchronized void record(Direction direction, Place place) {
        Optional<IntendedCrossing> intended = IntendedCrossing.of(direction, place);
        String why = intended.map(Enum::name).orElse("NOT INTENDED");
        SEEN.merge(direction + " " + why + " " + place.path(), 1, Integer::sum);
        if (intended.isEmpty()) {
            FAULTS.add(direction + " at " + place.name() + " (" + place.path() + ")");
        }
    }

    /** The copies since the last call that nobody intends. */
    static synchronized List<String> takeFaults() {
        List<String> faults = List.copyOf(FAULTS);
        FAULTS.clear();
        return faults;
    }

    /** Writes all copies and how often each was made, those that nobody intends first. */
    static synchronized void write(Path file) throws IOException {
        List<String> lines = new ArrayList<>();
        SEEN.forEach((what, count) -> lines.add(what + " x " + count));
        lines.sort((a, b) -> Boolean.compare(isIntended(a), isIntended(b)));
        for (IntendedCrossing intended : IntendedCrossing.values()) {
            if (SEEN.keySet().stream().noneMatch(seen -> seen.contains(" " + intended + " "))) {
                lines.add("not seen in this run: " + intended);
            }
        }
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.write(file, lines);
    }

    private static boolean isIntended(String line) {
        return !line.contains("NOT INTENDED");
    }
}
