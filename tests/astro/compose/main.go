// Print, as JSON, the Compose project that `astro dev start` hands to Docker: the Astro CLI's own
// template, merged with an override as the CLI merges it.
//
//	go run ./compose TEMPLATE OVERRIDE PROJECT_FOLDER
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"os"
	"text/template"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// What the CLI fills in, with its defaults.
func values(folder string) map[string]any {
	return map[string]any{
		"ProjectName": "custody", "AirflowImage": "custody/airflow:latest", "AirflowHome": folder,
		"PostgresUser": "postgres", "PostgresPassword": "postgres", "PostgresHost": "postgres",
		"PostgresPort": "5432", "PostgresRepository": "docker.io/postgres", "PostgresTag": "12.6",
		"AirflowAPIServerPort": "8080", "AirflowExposePort": false, "AirflowEnvFile": "",
		"DuplicateImageVolumes": true, "SettingsFileExist": false, "SettingsFile": "",
		"MountLabel": "z",
	}
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: compose TEMPLATE OVERRIDE PROJECT_FOLDER")
	}
	base, err := template.ParseFiles(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var filled bytes.Buffer
	if err := base.Option("missingkey=error").Execute(&filled, values(os.Args[3])); err != nil {
		log.Fatal(err)
	}
	override, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	project, err := loader.LoadWithContext(context.Background(), types.ConfigDetails{
		WorkingDir: os.Args[3],
		ConfigFiles: []types.ConfigFile{
			{Filename: "compose.yaml", Content: filled.Bytes()},
			{Filename: "docker-compose.override.yml", Content: override},
		},
	}, func(options *loader.Options) { options.SetProjectName("custody", true) })
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(project); err != nil {
		log.Fatal(err)
	}
}
